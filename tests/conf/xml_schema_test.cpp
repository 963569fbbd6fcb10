// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/process_handlers.h"
#include "conf/raised.h"
#include "conf/secret_xml.h"

#include "config.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <unistd.h>

namespace keyhold {
namespace {

// The schema that the installed libvirt validates with.
constexpr const char *kSchema = KEYHOLD_SCHEMADIR "/secret.rng";

std::optional<Raised> validate(const std::string &xml, const std::string &schema = kSchema) {
    return raisedBy([&] { (void)parseSecretXml(xml.c_str(), schema.c_str()); });
}

Raised mismatch(const std::string &lines) {
    return {ErrorCode::xmlSchemaMismatch,
            std::string("Unable to validate doc against ") + kSchema + "\n" + lines};
}

struct Validated {
    const char *name;
    std::string xml;
    std::optional<Raised> error;
};

void PrintTo(const Validated &row, std::ostream *out) {
    *out << row.xml.substr(0, 200);
}

std::string nameOf(const testing::TestParamInfo<Validated> &info) {
    return info.param.name;
}

class ValidatedXml : public testing::TestWithParam<Validated> {};

TEST_P(ValidatedXml, GivesTheResultOfStock) {
    EXPECT_EQ(validate(GetParam().xml), GetParam().error);
}

#define IN_SECRET(content) "<secret>" content "</secret>"
#define UUID_ELEMENT "<uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>"

const Validated kGood[] = {
    {"nothing", "<secret/>", {}},
    {"flags", "<secret ephemeral='yes' private='no'/>", {}},
    {"uuid", IN_SECRET(UUID_ELEMENT), {}},
    {"uuidWithoutDashes", IN_SECRET("<uuid>0a81f5b284037b23c8d621ccc2f80d6f</uuid>"), {}},
    {"uuidInUpperCase", IN_SECRET("<uuid>0A81F5B2-8403-7B23-C8D6-21CCC2F80D6F</uuid>"), {}},
    {"commentsAndInstructions", IN_SECRET("<!-- a -->" UUID_ELEMENT "<?a b?>"), {}},
    {"cdata", IN_SECRET("<description><![CDATA[<>]]></description>"), {}},
    {"emptyDescription", IN_SECRET("<description/>"), {}},
    {"longDescription",
     "<secret><description>" + std::string(100'000, 'x') + "</description></secret>",
     {}},
    {"externalDtd", "<!DOCTYPE secret SYSTEM 'file:///nowhere.dtd'><secret/>", {}},
    {"blankCephName", IN_SECRET("<usage type='ceph'><name>  </name></usage>"), {}},
    {"volume", IN_SECRET("<usage type='volume'><volume>/v</volume></usage>"), {}},
    {"iscsi", IN_SECRET("<usage type='iscsi'><target>t</target></usage>"), {}},
    {"tls", IN_SECRET("<usage type='tls'><name>t</name></usage>"), {}},
    {"vtpm", IN_SECRET("<usage type='vtpm'><name>t</name></usage>"), {}},
};
INSTANTIATE_TEST_SUITE_P(Good, ValidatedXml, testing::ValuesIn(kGood), nameOf);

Raised extra(const std::string &element) {
    return mismatch("Extra element " + element +
                    " in interleave\nElement secret failed to validate content\n");
}

const Validated kUsages[] = {
    {"withoutType", IN_SECRET("<usage><name>n</name></usage>"), extra("usage")},
    {"unknownType", IN_SECRET("<usage type='bogus'><name>n</name></usage>"), extra("usage")},
    {"none", IN_SECRET("<usage type='none'/>"), extra("usage")},
    {"withoutChild", IN_SECRET("<usage type='ceph'/>"), extra("usage")},
    {"wrongChild", IN_SECRET("<usage type='ceph'><volume>/v</volume></usage>"), extra("usage")},
    {"emptyVolume", IN_SECRET("<usage type='volume'><volume/></usage>"), extra("usage")},
    {"relativeVolume", IN_SECRET("<usage type='volume'><volume>a</volume></usage>"),
     extra("usage")},
    {"nameWithSlash", IN_SECRET("<usage type='ceph'><name>a/b</name></usage>"), extra("usage")},
    {"nameWithLineEnd", IN_SECRET("<usage type='ceph'><name>a\nb</name></usage>"), extra("usage")},
    {"two",
     IN_SECRET("<usage type='ceph'><name>a</name></usage>"
               "<usage type='ceph'><name>a</name></usage>"),
     extra("usage")},
    {"extraAttribute", IN_SECRET("<usage type='ceph' a='b'><name>a</name></usage>"),
     extra("usage")},
};
INSTANTIATE_TEST_SUITE_P(Usage, ValidatedXml, testing::ValuesIn(kUsages), nameOf);

const Validated kOthers[] = {
    {"twoUuids", IN_SECRET(UUID_ELEMENT UUID_ELEMENT), extra("uuid")},
    {"emptyUuid", IN_SECRET("<uuid/>"), extra("uuid")},
    {"malformedUuid", IN_SECRET("<uuid>nope</uuid>"), extra("uuid")},
    {"twoDescriptions", IN_SECRET("<description/><description/>"), extra("description")},
    {"descriptionWithMarkup", IN_SECRET("<description>a<b/></description>"), extra("description")},
    {"ephemeral", "<secret ephemeral='maybe'/>",
     mismatch("Invalid attribute ephemeral for element secret\n")},
    {"private", "<secret private='YES'/>",
     mismatch("Invalid attribute private for element secret\n")},
    {"unknownAttribute", "<secret foo='1'/>",
     mismatch("Invalid attribute foo for element secret\n")},
    {"unknownElement", IN_SECRET("<foo/>"), mismatch("Element secret has extra content: foo\n")},
    {"namespaced", "<secret xmlns='urn:x'/>",
     mismatch("Expecting no namespace for element secret\n")},
};
INSTANTIATE_TEST_SUITE_P(Other, ValidatedXml, testing::ValuesIn(kOthers), nameOf);

const Validated kOrder[] = {
    {"parsingComesFirst", "<secret><foo></secret>",
     Raised{ErrorCode::xmlMalformed, "at line 1: Opening and ending tag mismatch: foo line 1 and "
                                     "secret\n<secret><foo></secret>\n----------------------^"}},
    {"rootComesBeforeTheSchema", "<domain/>",
     Raised{ErrorCode::xmlRootUnexpected, "expecting root element of 'secret', not 'domain'"}},
    {"schemaComesBeforeTheDriver", "<secret private='maybe'/>",
     mismatch("Invalid attribute private for element secret\n")},
    {"driverStillChecks", "<secret ephemeral=' yes'/>",
     Raised{ErrorCode::xmlInvalid, "invalid value of 'ephemeral'"}},
};
INSTANTIATE_TEST_SUITE_P(Order, ValidatedXml, testing::ValuesIn(kOrder), nameOf);

TEST(XmlSchema, IsNotAskedForWithoutAFile) {
    EXPECT_FALSE(raisedBy([] { (void)parseSecretXml("<secret><foo/></secret>"); }));
}

/// A schema file that cannot be used.
class UnusableSchema : public testing::Test {
  protected:
    UnusableSchema()
        : path_(std::filesystem::temp_directory_path() /
                ("keyhold-conf-" + std::to_string(getpid()) + ".rng")) {}
    ~UnusableSchema() override { std::filesystem::remove(path_); }

    /// What validation with a schema of this text says after the name of the file.
    std::string problem(const std::string &text) {
        std::ofstream(path_) << text;
        const auto raised = validate("<secret/>", path_);
        const std::string begin = "Unable to parse RelaxNG schema '" + path_.string() + "': ";
        if (!raised || raised->code != ErrorCode::xmlSchemaUnusable || raised->text.rfind(begin, 0))
            return "another result";
        return raised->text.substr(begin.size());
    }

    std::filesystem::path path_;
};

TEST_F(UnusableSchema, IsTold) {
    const std::string notLoaded = "xmlRelaxNGParse: could not load " + path_.string() + "\n";
    testing::internal::CaptureStderr();
    EXPECT_EQ(problem("garbage"), notLoaded);
    EXPECT_EQ(problem(""), notLoaded);
    const std::string dangling = problem("<grammar xmlns='http://relaxng.org/ns/structure/1.0'>"
                                         "<start><ref name='nobody'/></start></grammar>");
    EXPECT_EQ(dangling.rfind("Reference nobody has no matching definition\n", 0), 0U) << dangling;
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(UnusableSchema, ThatIsMissingIsTold) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(validate("<secret/>", "/nowhere/secret.rng"),
              (Raised{ErrorCode::xmlSchemaUnusable,
                      "Unable to parse RelaxNG schema '/nowhere/secret.rng': "
                      "xmlRelaxNGParse: could not load /nowhere/secret.rng\n"}));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(XmlSchema, LeavesTheHandlersOfTheProcessAlone) {
    const ProcessHandlers handlers;
    EXPECT_EQ(validate("<secret foo='1'/>"),
              mismatch("Invalid attribute foo for element secret\n"));
    EXPECT_EQ(validate("<secret/>", "/nowhere/secret.rng")->code, ErrorCode::xmlSchemaUnusable);
    EXPECT_EQ(handlers.calls(), 0);
    EXPECT_TRUE(handlers.areSet());
}

TEST(XmlSchema, IsUsedByManyThreadsAtOnce) {
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 5; ++round) {
                if (validate(IN_SECRET(UUID_ELEMENT)))
                    ++wrong;
                if (validate("<secret foo='1'/>") !=
                    mismatch("Invalid attribute foo for element secret\n"))
                    ++wrong;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0);
}

} // namespace
} // namespace keyhold
