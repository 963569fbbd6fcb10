// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include "conf/raised.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

/// One well-formed document that the stock driver refuses, with its error. Where its releases
/// differ, the error is that of 11.3.0 and 12.8.0.
struct Refused {
    const char *name;
    const char *xml;
    Raised error;
};

void PrintTo(const Refused &row, std::ostream *out) {
    *out << row.xml;
}

class RefusedXml : public testing::TestWithParam<Refused> {};

TEST_P(RefusedXml, FromAClientGivesTheErrorOfStock) {
    EXPECT_EQ(raisedBy([&] { (void)parseSecretXml(GetParam().xml); }), GetParam().error);
}

TEST_P(RefusedXml, FromAFileGivesTheSameError) {
    const std::string_view xml = GetParam().xml;
    EXPECT_EQ(raisedBy([&] { (void)parseSecretFile(xml, "/x.xml"); }), GetParam().error);
}

std::string nameOf(const testing::TestParamInfo<Refused> &info) {
    return info.param.name;
}

#define IN_SECRET(content) "<secret>" content "</secret>"

const Raised kNoType{ErrorCode::xmlAttributeInvalid,
                     "Missing required attribute 'type' in element 'usage'"};

Raised unknownType(const std::string &word) {
    return {ErrorCode::xmlAttributeInvalid,
            "Invalid value for attribute 'type' in element 'usage': '" + word + "'."};
}

const Refused kTypes[] = {
    {"missing", IN_SECRET("<usage><name>n</name></usage>"), kNoType},
    {"inANamespace", IN_SECRET("<usage xmlns:x='urn:x' x:type='ceph'><name>n</name></usage>"),
     kNoType},
    {"empty", IN_SECRET("<usage type=''><name>n</name></usage>"), unknownType("")},
    {"bogus", IN_SECRET("<usage type='bogus'><name>n</name></usage>"), unknownType("bogus")},
    {"upperCase", IN_SECRET("<usage type='VOLUME'><volume>/v</volume></usage>"),
     unknownType("VOLUME")},
    {"withBlank", IN_SECRET("<usage type=' ceph'><name>n</name></usage>"), unknownType(" ceph")},
};
INSTANTIATE_TEST_SUITE_P(UsageType, RefusedXml, testing::ValuesIn(kTypes), nameOf);

Raised internal(const char *text) {
    return {ErrorCode::internal, text};
}

const Refused kIds[] = {
    {"volumeWithoutChild", IN_SECRET("<usage type='volume'/>"),
     internal("volume usage specified, but volume path is missing")},
    {"volumeEmpty", IN_SECRET("<usage type='volume'><volume></volume></usage>"),
     internal("volume usage specified, but volume path is missing")},
    {"volumeOfAnotherName", IN_SECRET("<usage type='volume'><name>/v</name></usage>"),
     internal("volume usage specified, but volume path is missing")},
    {"ceph", IN_SECRET("<usage type='ceph'><target>t</target></usage>"),
     internal("Ceph usage specified, but name is missing")},
    {"iscsi", IN_SECRET("<usage type='iscsi'><name>n</name></usage>"),
     internal("iSCSI usage specified, but target is missing")},
    {"tls", IN_SECRET("<usage type='tls'><volume>/v</volume></usage>"),
     internal("TLS usage specified, but name is missing")},
    {"vtpm", IN_SECRET("<usage type='vtpm'/>"),
     internal("vTPM usage specified, but name is missing")},
    {"firstOfTwoIsEmpty", IN_SECRET("<usage type='ceph'><name/><name>n</name></usage>"),
     internal("Ceph usage specified, but name is missing")},
    {"inANamespace", IN_SECRET("<usage type='ceph' xmlns:x='urn:x'><x:name>n</x:name></usage>"),
     internal("Ceph usage specified, but name is missing")},
    {"notAChildOfUsage",
     IN_SECRET("<usage type='ceph'><a><name>n</name></a></usage><name>n</name>"),
     internal("Ceph usage specified, but name is missing")},
};
INSTANTIATE_TEST_SUITE_P(UsageId, RefusedXml, testing::ValuesIn(kIds), nameOf);

const Raised kMalformedUuid{ErrorCode::internal, "malformed uuid element"};

const Refused kUuids[] = {
    {"word", IN_SECRET("<uuid>nope</uuid>"), kMalformedUuid},
    {"short", IN_SECRET("<uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6</uuid>"), kMalformedUuid},
    {"long", IN_SECRET("<uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f0</uuid>"), kMalformedUuid},
    {"badDigit", IN_SECRET("<uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6g</uuid>"), kMalformedUuid},
    {"trailingText", IN_SECRET("<uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f x</uuid>"),
     kMalformedUuid},
    {"blank", IN_SECRET("<uuid> </uuid>"), kMalformedUuid},
};
INSTANTIATE_TEST_SUITE_P(Uuid, RefusedXml, testing::ValuesIn(kUuids), nameOf);

Raised notYesOrNo(const std::string &attribute) {
    return {ErrorCode::xmlInvalid, "invalid value of '" + attribute + "'"};
}

const Refused kFlags[] = {
    {"upperCase", "<secret ephemeral='YES'/>", notYesOrNo("ephemeral")},
    {"true", "<secret ephemeral='true'/>", notYesOrNo("ephemeral")},
    {"one", "<secret private='1'/>", notYesOrNo("private")},
    {"maybe", "<secret private='maybe'/>", notYesOrNo("private")},
    {"leadingBlank", "<secret private=' yes'/>", notYesOrNo("private")},
};
INSTANTIATE_TEST_SUITE_P(Flag, RefusedXml, testing::ValuesIn(kFlags), nameOf);

// Of several errors, the one that stock finds first.
const Refused kOrder[] = {
    {"ephemeralBeforePrivate", "<secret private='x' ephemeral='x'/>", notYesOrNo("ephemeral")},
    {"privateBeforeUuid", "<secret private='x'><uuid>x</uuid></secret>", notYesOrNo("private")},
    {"uuidBeforeUsage", IN_SECRET("<usage/><uuid>x</uuid>"), kMalformedUuid},
};
INSTANTIATE_TEST_SUITE_P(Order, RefusedXml, testing::ValuesIn(kOrder), nameOf);

Raised otherRoot(const std::string &name) {
    return {ErrorCode::xmlRootUnexpected, "expecting root element of 'secret', not '" + name + "'"};
}

const Refused kRoots[] = {
    {"domain", "<domain/>", otherRoot("domain")},
    {"upperCase", "<Secret/>", otherRoot("Secret")},
    {"aroundASecret", "<x><secret/></x>", otherRoot("x")},
};
INSTANTIATE_TEST_SUITE_P(Root, RefusedXml, testing::ValuesIn(kRoots), nameOf);

} // namespace
} // namespace keyhold
