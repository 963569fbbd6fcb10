// SPDX-License-Identifier: LGPL-2.1-or-later
// What callbacks get, in which order.
#include "files.h"
#include "phase.h"

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);

/// Collects what callbacks get; each callback has a name.
struct Listener {
    struct Ear {
        Listener *listener;
        std::string name;
    };
    std::vector<std::string> heard;
    std::vector<std::unique_ptr<Ear>> ears;
    int freed = 0;

    Ear *ear(const std::string &name) {
        ears.push_back(std::make_unique<Ear>(Ear{this, name}));
        return ears.back().get();
    }
};

void onLifecycle(virConnectPtr, virSecretPtr secret, int event, int detail, void *opaque) {
    auto *ear = static_cast<Listener::Ear *>(opaque);
    ear->listener->heard.push_back(ear->name + " lifecycle " + std::to_string(event) + " detail " +
                                   std::to_string(detail) + " " + render(secret));
}

void onValueChanged(virConnectPtr, virSecretPtr secret, void *opaque) {
    auto *ear = static_cast<Listener::Ear *>(opaque);
    ear->listener->heard.push_back(ear->name + " value changed " + render(secret));
}

void onFree(void *opaque) {
    static_cast<Listener::Ear *>(opaque)->listener->freed++;
}

/// libvirt takes callbacks of every event as one type.
template <typename Callback>
virConnectSecretEventGenericCallback generic(Callback callback) {
    return reinterpret_cast<virConnectSecretEventGenericCallback>(
        reinterpret_cast<void (*)()>(callback));
}

int listen(Phase &phase, Listener &listener, const std::string &name, int event,
           virSecretPtr secret = nullptr) {
    auto callback =
        event == VIR_SECRET_EVENT_ID_LIFECYCLE ? generic(onLifecycle) : generic(onValueChanged);
    return phase.attempt("register " + name, [&] {
        return virConnectSecretEventRegisterAny(phase.connection(), secret, event, callback,
                                                listener.ear(name), onFree);
    });
}

void deliver(Phase &phase, Listener &listener, const std::string &key) {
    phase.pumpEvents();
    std::string text;
    for (const std::string &event : listener.heard)
        text += (text.empty() ? "" : "; ") + event;
    phase.note("events after " + key, text.empty() ? "none" : text);
    listener.heard.clear();
}

void listenToAll(Phase &phase, Listener &listener) {
    listen(phase, listener, "all", VIR_SECRET_EVENT_ID_LIFECYCLE);
    listen(phase, listener, "all", VIR_SECRET_EVENT_ID_VALUE_CHANGED);
}

void everyChange(Phase &phase) {
    phase.open();
    Listener listener;
    listenToAll(phase, listener);
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1"};
    Secret secret = phase.define("define", definition);
    deliver(phase, listener, "define");
    phase.define("redefine", definition);
    deliver(phase, listener, "an identical definition");
    definition.description = "words";
    phase.define("describe", definition);
    deliver(phase, listener, "a new description");
    phase.setValue("set", secret, "hello");
    deliver(phase, listener, "set");
    phase.setValue("set the same", secret, "hello");
    deliver(phase, listener, "set the same");
    phase.setValue("set empty", secret, "");
    deliver(phase, listener, "set empty");
    definition.ephemeral = "yes";
    phase.define("to ephemeral", definition);
    deliver(phase, listener, "to ephemeral");
    definition.ephemeral = "no";
    phase.define("to persistent", definition);
    deliver(phase, listener, "to persistent");
    definition.isPrivate = "yes";
    phase.define("to private", definition);
    deliver(phase, listener, "to private");
    phase.getValue("get", secret);
    phase.dump("dump", secret);
    deliver(phase, listener, "reading");
    phase.define("no usage", {.uuid = kTwo});
    deliver(phase, listener, "define without usage");
    phase.undefine("undefine", secret);
    deliver(phase, listener, "undefine");
}

void otherTypeEvent(Phase &phase) {
    phase.open();
    Listener listener;
    listenToAll(phase, listener);
    Secret secret = phase.define("define", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.define("other type", {.uuid = kOne, .type = "iscsi", .id = "n1"});
    phase.setValue("set through the old handle", secret, "hello");
    phase.undefine("undefine through the old handle", secret);
    deliver(phase, listener, "everything");
}

void failures(Phase &phase) {
    phase.open();
    Listener listener;
    Secret secret = phase.define("define", {.uuid = kOne, .type = "ceph", .id = "n1"});
    deliver(phase, listener, "nobody listened");
    listenToAll(phase, listener);
    phase.define("other id", {.uuid = kOne, .type = "ceph", .id = "n2"});
    phase.defineXml("malformed", "<secret>");
    phase.attempt("set NULL", [&] { return virSecretSetValue(secret.get(), nullptr, 0, 0); });
    deliver(phase, listener, "failures");
    phase.undefine("undefine", secret);
    deliver(phase, listener, "undefine");
    phase.undefine("undefine again", secret);
    phase.setValue("set after undefine", secret, "x");
    deliver(phase, listener, "more failures");
}

void queuedBefore(Phase &phase) {
    phase.open();
    Listener listener;
    phase.define("define, nobody listens", {.uuid = kOne});
    listenToAll(phase, listener);
    deliver(phase, listener, "registering just after a define");
}

void order(Phase &phase) {
    phase.open();
    Listener listener;
    listenToAll(phase, listener);
    for (int round = 0; round < 20; round++) {
        Secret secret(virSecretDefineXML(
            phase.connection(), toXml({.uuid = kOne, .type = "ceph", .id = "n1"}).c_str(), 0));
        const auto *bytes = reinterpret_cast<const unsigned char *>("hello");
        virSecretSetValue(secret.get(), bytes, 5, 0);
        virSecretUndefine(secret.get());
    }
    phase.pumpEvents();
    std::string kinds;
    for (const std::string &event : listener.heard) {
        kinds += event.find("lifecycle 0") != std::string::npos   ? 'D'
                 : event.find("lifecycle 1") != std::string::npos ? 'U'
                                                                  : 'V';
    }
    phase.note("kinds", kinds);
}

void filters(Phase &phase) {
    phase.open();
    Listener listener;
    Secret one = phase.define("define one", {.uuid = kOne, .type = "ceph", .id = "n1"});
    Secret two = phase.define("define two", {.uuid = kTwo, .type = "ceph", .id = "n2"});
    deliver(phase, listener, "defining");
    listen(phase, listener, "one", VIR_SECRET_EVENT_ID_LIFECYCLE, one.get());
    listen(phase, listener, "one", VIR_SECRET_EVENT_ID_VALUE_CHANGED, one.get());
    listen(phase, listener, "all", VIR_SECRET_EVENT_ID_LIFECYCLE);
    phase.setValue("set one", one, "1");
    phase.setValue("set two", two, "2");
    deliver(phase, listener, "both values");
    phase.undefine("undefine one", one);
    phase.undefine("undefine two", two);
    deliver(phase, listener, "both undefined");
    phase.define("define one again", {.uuid = kOne, .type = "iscsi", .id = "t1"});
    deliver(phase, listener, "one again");
}

void callbackOrder(Phase &phase) {
    phase.open();
    Listener listener;
    Secret one = phase.define("define", {.uuid = kOne});
    Secret two = phase.define("define the other", {.uuid = kTwo});
    deliver(phase, listener, "defining");
    listen(phase, listener, "first", VIR_SECRET_EVENT_ID_LIFECYCLE, one.get());
    listen(phase, listener, "second", VIR_SECRET_EVENT_ID_LIFECYCLE);
    listen(phase, listener, "third", VIR_SECRET_EVENT_ID_LIFECYCLE, two.get());
    phase.undefine("undefine", one);
    phase.undefine("undefine the other", two);
    deliver(phase, listener, "undefining");
}

void deregistering(Phase &phase) {
    phase.open();
    Listener listener;
    int first = listen(phase, listener, "first", VIR_SECRET_EVENT_ID_LIFECYCLE);
    int second = listen(phase, listener, "second", VIR_SECRET_EVENT_ID_VALUE_CHANGED);
    listen(phase, listener, "same again", VIR_SECRET_EVENT_ID_LIFECYCLE);
    auto deregister = [&](const std::string &key, int id) {
        phase.attempt(key,
                      [&] { return virConnectSecretEventDeregisterAny(phase.connection(), id); });
    };
    deregister("deregister the first", first);
    deregister("deregister the first again", first);
    phase.pumpEvents();
    phase.note("freed", std::to_string(listener.freed));
    deregister("deregister unknown", 999);
    deregister("deregister -1", -1);
    Secret secret = phase.define("define", {.uuid = kOne});
    phase.setValue("set", secret, "x");
    deliver(phase, listener, "only the second listens");
    listen(phase, listener, "third", VIR_SECRET_EVENT_ID_LIFECYCLE);
    deregister("deregister the second", second);
    phase.undefine("undefine", secret);
    deliver(phase, listener, "only the third listens");
    phase.attempt("deregister on NULL",
                  [&] { return virConnectSecretEventDeregisterAny(nullptr, 0); });
}

void arguments(Phase &phase) {
    phase.open();
    Listener listener;
    virConnectPtr connection = phase.connection();
    auto callback = generic(onLifecycle);
    for (int event : {2, 99, -1}) {
        phase.attempt("event " + std::to_string(event), [&] {
            return virConnectSecretEventRegisterAny(connection, nullptr, event, callback,
                                                    listener.ear("x"), nullptr);
        });
    }
    phase.attempt("NULL callback", [&] {
        return virConnectSecretEventRegisterAny(connection, nullptr, 0, nullptr, nullptr, nullptr);
    });
    phase.attempt("NULL connection", [&] {
        return virConnectSecretEventRegisterAny(nullptr, nullptr, 0, callback, listener.ear("x"),
                                                nullptr);
    });
}

void loading(Phase &phase) {
    makeDirectories(phase.root() + "/etc/secrets");
    writeFile(phase.file(kOne + ".xml"), toXml({.uuid = kOne}));
    writeFile(phase.file(kOne + ".base64"), base64("hello"));
    phase.open();
    Listener listener;
    listenToAll(phase, listener);
    deliver(phase, listener, "loading");
}

} // namespace

std::vector<Scenario> eventScenarios() {
    return {{"events.every-change", {everyChange}},
            {"events.other-type", {otherTypeEvent}},
            {"events.failures", {failures}},
            {"events.queued-before", {queuedBefore}},
            {"events.order", {order}},
            {"events.filters", {filters}},
            {"events.callback-order", {callbackOrder}},
            {"events.deregistering", {deregistering}},
            {"events.arguments", {arguments}},
            {"events.loading", {loading}}};
}

} // namespace keyhold
