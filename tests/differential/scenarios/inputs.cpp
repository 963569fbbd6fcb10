// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inputs.h"

#include "definition.h"

namespace keyhold {

namespace {

const std::string kUuid = chosenUuid(1);

std::string secret(const std::string &content, const std::string &attributes = "") {
    return "<secret" + attributes + ">" + content + "</secret>";
}

std::string uuid(const std::string &text) {
    return "<uuid>" + text + "</uuid>";
}

std::string usage(const std::string &attributes, const std::string &content) {
    return secret(uuid(kUuid) + "<usage" + attributes + ">" + content + "</usage>");
}

std::string times(std::size_t count, const std::string &text) {
    std::string out;
    out.reserve(count * text.size());
    for (std::size_t i = 0; i < count; i++)
        out += text;
    return out;
}

std::vector<Input> usages() {
    std::vector<Input> inputs = {
        {"empty", "<secret/>"},
        {"no usage", secret(uuid(kUuid))},
        {"usage without type", usage("", "<name>n1</name>")},
        {"usage element empty", secret(uuid(kUuid) + "<usage/>")},
        {"type empty", usage(" type=''", "<name>n1</name>")},
        {"type bogus", usage(" type='bogus'", "<name>n1</name>")},
        {"type in capitals", usage(" type='VOLUME'", "<volume>/v</volume>")},
        {"type with blank", usage(" type=' ceph'", "<name>n1</name>")},
        {"type none", usage(" type='none'", "")},
        {"type none with child", usage(" type='none'", "<name>n1</name>")},
    };
    for (const UsageKind &kind : kUsageKinds) {
        std::string type = kind.type;
        std::string attribute = " type='" + type + "'";
        auto child = [&](const std::string &text) {
            return std::string("<") + kind.child + ">" + text + "</" + kind.child + ">";
        };
        auto add = [&](const std::string &what, const std::string &content) {
            inputs.push_back({type + " " + what, usage(attribute, content)});
        };
        add("child", child("/path/of/it"));
        add("child missing", "");
        add("child empty", child(""));
        add("child closed", std::string("<") + kind.child + "/>");
        add("wrong child", std::string("<") + kind.wrong + ">x</" + kind.wrong + ">");
        add("child of blanks", child("  "));
        add("child with a newline", child("one\ntwo"));
        add("child with a slash", child("one/two"));
        add("child with blanks, colon and quotes",
            child("client.nova secret: 'a' \"b\" &amp; &lt;"));
        add("child not of ASCII", child("schl\xc3\xbcssel"));
        add("two children", child("/first") + child("/second"));
        add("extra child", child("/path") + "<extra>x</extra>");
        add("nested child", child("/a<b>c</b>d"));
        add("text beside the child", "text" + child("/path") + "text");
    }
    inputs.push_back(
        {"two usages", secret(uuid(kUuid) + "<usage type='ceph'><name>n1</name></usage>"
                                            "<usage type='iscsi'><target>t1</target></usage>")});
    inputs.push_back({"two usages, the first without child",
                      secret(uuid(kUuid) + "<usage type='ceph'/>"
                                           "<usage type='ceph'><name>n1</name></usage>")});
    inputs.push_back({"two usages, the first without type",
                      secret(uuid(kUuid) + "<usage><name>n1</name></usage>"
                                           "<usage type='ceph'><name>n2</name></usage>")});
    inputs.push_back({"extra attribute", usage(" type='ceph' more='x'", "<name>n1</name>")});
    inputs.push_back({"volume relative", usage(" type='volume'", "<volume>relative</volume>")});
    inputs.push_back(
        {"usage before uuid", secret("<usage type='ceph'><name>n1</name></usage>" + uuid(kUuid))});
    return inputs;
}

std::vector<Input> uuids() {
    std::string bare = kUuid;
    for (std::size_t dash = bare.find('-'); dash != std::string::npos; dash = bare.find('-'))
        bare.erase(dash, 1);
    std::string upper = kUuid;
    for (char &character : upper)
        character =
            character >= 'a' && character <= 'f' ? static_cast<char>(character - 32) : character;
    return {
        {"canonical", secret(uuid(kUuid))},
        {"missing", secret("")},
        {"empty", secret(uuid(""))},
        {"closed", secret("<uuid/>")},
        {"blank", secret(uuid("  "))},
        {"a word", secret(uuid("nope"))},
        {"too short", secret(uuid(kUuid.substr(0, 35)))},
        {"too long", secret(uuid(kUuid + "0"))},
        {"bad digit", secret(uuid("x" + kUuid.substr(1)))},
        {"trailing text", secret(uuid(kUuid + " x"))},
        {"in braces", secret(uuid("{" + kUuid + "}"))},
        {"without dashes", secret(uuid(bare))},
        {"dashes elsewhere", secret(uuid("5e-c2e70-00000-400080-00000000-000001"))},
        {"leading dashes", secret(uuid("--" + kUuid))},
        {"trailing dash", secret(uuid(kUuid + "-"))},
        {"double dashes", secret(uuid("5ec2e700--0000-4000-8000-000000000001"))},
        {"leading and trailing blanks", secret(uuid("  " + kUuid + "  "))},
        {"leading and trailing newlines", secret(uuid("\n" + kUuid + "\n"))},
        {"a tab before", secret(uuid("\t" + kUuid))},
        {"a blank inside", secret(uuid("5ec2e700 0000-4000-8000-000000000001"))},
        {"in capitals", secret(uuid(upper))},
        {"all zero", secret(uuid("00000000-0000-0000-0000-000000000000"))},
        {"all f", secret(uuid("ffffffff-ffff-ffff-ffff-ffffffffffff"))},
        {"two", secret(uuid(kUuid) + uuid(chosenUuid(2)))},
        {"two, the first empty", secret(uuid("") + uuid(chosenUuid(2)))},
        {"with an attribute", secret("<uuid a='b'>" + kUuid + "</uuid>")},
        {"with a nested element", secret(uuid("5ec2e700-<b>0000</b>-4000-8000-000000000001"))},
        {"with a comment inside", secret(uuid("5ec2e700-<!-- c -->0000-4000-8000-000000000001"))},
    };
}

std::vector<Input> attributes() {
    std::vector<Input> inputs;
    for (const char *name : {"ephemeral", "private"}) {
        for (const char *value :
             {"yes", "no", "", "YES", "No", "true", "1", "0", "maybe", " yes", "yes "}) {
            inputs.push_back({std::string(name) + " '" + value + "'",
                              secret(uuid(kUuid), std::string(" ") + name + "='" + value + "'")});
        }
    }
    inputs.push_back({"both yes", secret(uuid(kUuid), " ephemeral='yes' private='yes'")});
    inputs.push_back({"both wrong", secret(uuid(kUuid), " ephemeral='x' private='x'")});
    inputs.push_back({"unknown", secret(uuid(kUuid), " colour='blue'")});
    inputs.push_back({"ephemeral twice", secret(uuid(kUuid), " ephemeral='no' ephemeral='yes'")});
    inputs.push_back(
        {"ephemeral wrong and uuid malformed", secret(uuid("nope"), " ephemeral='x'")});
    inputs.push_back(
        {"uuid malformed and type unknown", secret(uuid("nope") + "<usage type='bogus'/>")});
    return inputs;
}

std::vector<Input> structure() {
    std::string known = uuid(kUuid);
    return {
        {"unknown element", secret(known + "<foo>x</foo>")},
        {"text beside the elements", secret("text" + known + "text")},
        {"comments", secret("<!-- a -->" + known + "<!-- b -->")},
        {"comment before the root", "<!-- a -->" + secret(known)},
        {"processing instructions", secret("<?a b?>" + known + "<?c d?>")},
        {"comment in a description",
         secret(known + "<description>one<!-- c -->two<?p i?>three</description>")},
        {"CDATA", secret(known + "<description><![CDATA[a <b> & c]]></description>")},
        {"CDATA in usage",
         secret(known + "<usage type='ceph'><name><![CDATA[a&b]]></name></usage>")},
        {"two descriptions",
         secret(known + "<description>one</description><description>two</description>")},
        {"description empty", secret(known + "<description/>")},
        {"description of blanks", secret(known + "<description>  \n </description>")},
        {"description with markup", secret(known + "<description>a<b>c</b>d</description>")},
        {"XML declaration", "<?xml version='1.0' encoding='UTF-8'?>" + secret(known)},
        {"XML declaration and newline", "<?xml version='1.0'?>\n" + secret(known) + "\n"},
        {"declared ISO-8859-1, plain content",
         "<?xml version='1.0' encoding='ISO-8859-1'?>" + secret(known)},
        {"declared standalone", "<?xml version='1.0' standalone='yes'?>" + secret(known)},
        {"white space around the root", "\n\n  " + secret(known) + "  \n"},
        {"default namespace", "<secret xmlns='urn:x'>" + known + "</secret>"},
        {"prefixed root", "<x:secret xmlns:x='urn:x'>" + known + "</x:secret>"},
        {"prefixed child", "<secret xmlns:x='urn:x'><x:uuid>" + kUuid + "</x:uuid></secret>"},
        {"undeclared prefix", "<x:secret>" + known + "</x:secret>"},
        {"root domain", "<domain>" + known + "</domain>"},
        {"root in capitals", "<Secret>" + known + "</Secret>"},
        {"secret inside another root", "<secrets>" + secret(known) + "</secrets>"},
        {"children in a nested secret", secret(secret(known))},
    };
}

std::vector<Input> malformed() {
    return {
        {"tag mismatch", "<secret><uuid></secret>"},
        {"unclosed", "<secret>"},
        {"unclosed, several lines", "<secret>\n  <uuid>\n"},
        {"attribute without quotes", "<secret ephemeral=yes/>"},
        {"attribute without value", "<secret ephemeral/>"},
        {"no XML", "garbage"},
        {"empty string", ""},
        {"white space only", "  \n  "},
        {"trailing junk", "<secret/>junk"},
        {"two roots", "<secret/><secret/>"},
        {"trailing comment unclosed", "<secret/><!-- "},
        {"blank before the declaration", " <?xml version='1.0'?><secret/>"},
        {"unknown version", "<?xml version='9.0'?><secret/>"},
        {"unknown encoding", "<?xml version='1.0' encoding='nonsense'?><secret/>"},
        {"invalid UTF-8", "<secret><description>caf\xe9</description></secret>"},
        {"latin-1 as declared", "<?xml version='1.0' encoding='ISO-8859-1'?>"
                                "<secret><description>caf\xe9</description></secret>"},
        {"UTF-8 byte order mark", "\xef\xbb\xbf" + secret(uuid(kUuid))},
        {"control character", "<secret><description>a\x01</description></secret>"},
        {"reference to a control character", "<secret><description>&#1;</description></secret>"},
        {"reference to a surrogate", "<secret><description>&#xd800;</description></secret>"},
        {"bare ampersand", "<secret><description>a & b</description></secret>"},
        {"bare less-than", "<secret><description>a < b</description></secret>"},
        {"less-than in an attribute", "<secret ephemeral='<'/>"},
        {"undefined entity", "<secret><description>&foo;</description></secret>"},
        {"tag mismatch in a long line",
         "<secret><description>" + times(120, "word ") + "</secret>"},
        {"tag mismatch after tabs", "<secret>\n\t\t<uuid>x</secret>\n"},
        {"tag mismatch in the third line",
         "<secret>\n<description>x</description>\n<uuid></secret>"},
        {"depth 300", "<secret>" + times(300, "<a>") + times(300, "</a>") + "</secret>"},
    };
}

std::vector<Input> entities() {
    std::string bomb = "<!DOCTYPE secret [<!ENTITY l0 'ha'>";
    for (int i = 1; i <= 10; i++) {
        bomb += "<!ENTITY l" + std::to_string(i) + " '" +
                times(10, "&l" + std::to_string(i - 1) + ";") + "'>";
    }
    std::string megabyte = "<!DOCTYPE secret [<!ENTITY a '" + times(1000, "x") + "'><!ENTITY b '" +
                           times(32, "&a;") + "'><!ENTITY c '" + times(32, "&b;") + "'>]>";
    return {
        {"the five of XML",
         secret(uuid(kUuid) + "<description>&amp;&lt;&gt;&apos;&quot;</description>")},
        {"character references",
         secret(uuid(kUuid) + "<description>&#65;&#x42;&#x20ac;&#9;&#10;</description>")},
        {"internal, in the description",
         "<!DOCTYPE secret [<!ENTITY e 'expanded'>]>" +
             secret(uuid(kUuid) + "<description>x&e;y</description>")},
        {"internal, in the usage",
         "<!DOCTYPE secret [<!ENTITY e 'expanded'>]>" +
             secret(uuid(kUuid) + "<usage type='ceph'><name>x&e;y</name></usage>")},
        {"internal, in an attribute",
         "<!DOCTYPE secret [<!ENTITY e 'yes'>]>" + secret(uuid(kUuid), " private='&e;'")},
        {"external file", "<!DOCTYPE secret [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>" +
                              secret(uuid(kUuid) + "<description>x&e;y</description>")},
        {"external http", "<!DOCTYPE secret [<!ENTITY e SYSTEM 'http://127.0.0.1:9/x'>]>" +
                              secret(uuid(kUuid) + "<description>x&e;y</description>")},
        {"external document type",
         "<!DOCTYPE secret SYSTEM 'file:///nowhere/secret.dtd'>" + secret(uuid(kUuid))},
        {"external parameter entity",
         "<!DOCTYPE secret [<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;]>" +
             secret(uuid(kUuid))},
        {"default attribute from the document type",
         "<!DOCTYPE secret [<!ATTLIST secret private CDATA 'yes'>]>" + secret(uuid(kUuid))},
        {"recursive", "<!DOCTYPE secret [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>" +
                          secret("<description>&a;</description>")},
        {"billion laughs", bomb + "]>" + secret("<description>&l10;</description>")},
        {"a megabyte by expansion", megabyte + secret("<description>&c;</description>")},
    };
}

std::vector<Input> sizes() {
    auto described = [](std::size_t size) {
        return secret(uuid(kUuid) + "<description>" + times(size, "d") + "</description>");
    };
    return {
        {"description of 100 KB", described(100'000)},
        {"usage name of 100 KB", secret(uuid(kUuid) + "<usage type='ceph'><name>" +
                                        times(100'000, "n") + "</name></usage>")},
        {"description of 9 MB", described(9'000'000)},
        {"20 MB of unknown elements",
         secret(uuid(kUuid) + times(20, "<x>" + times(1'000'000, "x") + "</x>"))},
    };
}

} // namespace

std::vector<InputGroup> inputGroups() {
    return {{"usages", usages},       {"uuids", uuids},         {"attributes", attributes},
            {"structure", structure}, {"malformed", malformed}, {"entities", entities},
            {"sizes", sizes}};
}

} // namespace keyhold
