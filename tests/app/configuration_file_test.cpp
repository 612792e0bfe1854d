#include "app/configuration_file.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "app/configuration_keys.h"
#include "app/configuration_report.h"
#include "app/peer_address.h"

namespace sagitta::app {
namespace {

using Texts = std::vector<std::string>;

Texts problems(std::string_view toml, const ConfigurationFlags& flags = {}) {
    return parse_configuration(toml, "s.toml", flags).problems;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(ConfigurationFile, EmptyFileIsTheDefaults) {
    const auto loaded = parse_configuration("", "s.toml");
    EXPECT_EQ(loaded.problems, Texts{});
    EXPECT_EQ(to_toml(loaded.configuration), to_toml(Configuration{}));
}

TEST(ConfigurationFile, SampleFileIsTheDefaultsAndHasEveryKey) {
    const std::string sample = text_of(SAGITTA_SOURCE_DIR "/config/sagitta.toml");
    const auto loaded = parse_configuration(sample, "sagitta.toml");
    EXPECT_EQ(loaded.problems, Texts{});
    EXPECT_EQ(loaded.warnings, Texts{});
    EXPECT_EQ(to_toml(loaded.configuration), to_toml(Configuration{}));
    const std::string manual = text_of(SAGITTA_SOURCE_DIR "/docs/CONFIGURATION.md");
    for (const auto& key : configuration_keys()) {
        EXPECT_NE(sample.find("\n" + std::string(key.name) + " = "), std::string::npos) << key.name;
        EXPECT_NE(manual.find("| `" + std::string(key.name) + "` |"), std::string::npos) << key.name;
    }
}

TEST(ConfigurationFile, ReadsEveryKey) {
    const std::string_view toml = R"([node]
ae_title = "ARCHIVE"
bind = "0.0.0.0"
port = 104
data = "/srv/dicom"
promiscuous = true
require_user = true

[tls]
certificate = "/etc/sagitta/node.crt"
key = "/etc/sagitta/node.key"
ca = "/etc/sagitta/ca.crt"
bind = "10.0.0.1"
port = 12762
plain = false
require_client_certificate = false
min_version = "1.3"

[[peer]]
address = "PACS@10.0.0.5:104"
allow = ["echo", "find"]
tls = true
certificate = "pacs.example.org"

[[peer]]
address = "AI@[2001:db8::5]:11112"
allow = ["echo", "store", "find", "move", "get", "commit", "mpps"]

[[user]]
name = "scanner"
passcode = "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

[[user]]
name = "viewer"

[storage]
layout = "volumes"
volume_size = "1GiB"
direct_write_from = "128KiB"
on_conflict = "replace"
memory_budget = "64MiB"
stream_above = "1MiB"
accept_unknown_sop_classes = false
preferred_transfer_syntaxes = ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.1"]
index = ["StationName", "KVP"]
undelete_for = "2d"
quota = "500GiB"
quota_studies = 20000
min_free = "20GiB"
quota_policy = "recycle"

[query]
relational = "always"
combined_date_time = "never"
fuzzy_names = "negotiated"
empty_values = "never"

[commitment]
retry = "5s"
give_up = "2h"
max_instances = 100
max_requests = 10

[mpps]
strict = true
max_object = "1MiB"
max_in_progress = 7
patience = "1m"
keep = "30d"

[availability]
quiet = "0s"
retry = "5s"
give_up = "2h"

[patrol]
every = "7d"
rate = "1MiB"

[worklist]
folder = "/srv/worklist"

[limits]
associations = 10
associations_per_peer = 2
max_pdu = "64KiB"
operations_window = 32
associations_to_peer = 3
keep_associations = "5s"
max_object = "1GB"
idle_timeout = "500ms"
min_rate = "1KiB"
rate_window = "30s"
artim_timeout = "10s"
response_timeout = "2m"
shutdown_grace = "0s"
max_matches = 1000
sequence_depth = 16
silent_connections = 64
silent_grace = "2s"

[log]
level = "debug"
trace = "/var/log/sagitta/trace"

[audit]
file = "/var/log/sagitta/audit.log"
collector = "tcp://10.0.0.9:601"
spool_size = "1MiB"

[threads]
network = 1
worker = 8
)";
    std::string good(toml);
    good.replace(good.find("500ms"), 5, "1500ms");
    const auto loaded = parse_configuration(good, "s.toml");
    EXPECT_EQ(loaded.problems, Texts{});
    EXPECT_EQ(to_toml(loaded.configuration), good);
    EXPECT_EQ(problems(toml), Texts{"s.toml:91: limits.idle_timeout must be from 1s to 1d"});
}

TEST(ConfigurationFile, WhatIsIndexedIsNamedByKeyword) {
    EXPECT_EQ(
        problems("[storage]\nindex = [\"StationNam\"]\n"),
        Texts{"s.toml:2: storage.index must be a list of keywords: \"StationNam\" is none, did you mean "
              "\"StationName\"?"});
    EXPECT_EQ(
        problems("[storage]\nindex = [\"KVP\", \"PixelData\"]\n"),
        Texts{
            "s.toml:2: storage.index cannot hold PixelData: only short text, dates and numbers are indexed"});
    EXPECT_EQ(problems("[storage]\nindex = 3\n"),
              Texts{"s.toml:2: storage.index must be a list of keywords in quotes, not a number"});
    EXPECT_EQ(parse_configuration("[storage]\nindex = [\"KVP\", \"KVP\"]\n", "s.toml")
                  .configuration.storage.index.size(),
              1u);
}

TEST(ConfigurationFile, RulesOfRetentionSayHowLong) {
    const auto good = parse_configuration(
        "[storage]\nquota = \"1GiB\"\n[[storage.retention]]\nmatch = { Modality = \"US\" }\nkeep_for = "
        "\"365d\"\n"
        "[[storage.retention]]\nnot = { PatientID = [\"T*\", \"X*\"] }\nkeep_for = \"forever\"\n",
        "s.toml");
    EXPECT_EQ(good.problems, Texts{});
    ASSERT_EQ(good.configuration.retentions.size(), 2u);
    EXPECT_EQ(good.configuration.retentions[0].keep_for, std::chrono::hours(24 * 365));
    EXPECT_TRUE(good.configuration.retentions[0].match.is_conditional());
    EXPECT_FALSE(good.configuration.retentions[1].keep_for);
    EXPECT_NE(to_toml(good.configuration).find("[[storage.retention]]"), std::string::npos);
    EXPECT_EQ(
        problems("[[storage.retention]]\nmatch = { Modalty = \"US\" }\nkeep = \"1d\"\n"
                 "[[storage.retention]]\nkeep_for = \"0s\"\nmatch = \"US\"\n"),
        (Texts{
            "s.toml:1: this [[storage.retention]] has no keep_for",
            "s.toml:2: storage.retention.match: 'Modalty' is no keyword of PS3.6: did you mean 'Modality'?",
            "s.toml:3: unknown key keep in [[storage.retention]]",
            "s.toml:5: storage.retention.keep_for must be a duration of a second or more, for example "
            "\"365d\", or \"forever\"",
            "s.toml:6: storage.retention.match must be a table: { Modality = \"CT\" }"}));
    EXPECT_EQ(problems("[storage]\nretention = \"1d\"\n"),
              Texts{"s.toml:2: rules of retention are written [[storage.retention]], in double brackets"});
    EXPECT_EQ(problems("[storage]\nlayout = \"files\"\n[[storage.retention]]\nkeep_for = \"1d\"\n"), Texts());
}

TEST(ConfigurationFile, UsersHaveANameAndAHashedPasscode) {
    EXPECT_EQ(problems("[[user]]\nname = \"a\"\npasscode = \"secret\"\n"
                       "[[user]]\npascode = 1\n"
                       "[[user]]\nname = \"a\"\n"),
              (Texts{"s.toml:3: user.passcode must be what `sagitta config hash-password` prints",
                     "s.toml:4: this [[user]] has no name",
                     "s.toml:5: unknown key user.pascode, did you mean passcode?",
                     "s.toml:6: this user stands here twice"}));
    EXPECT_EQ(problems("[node]\nrequire_user = true\n"),
              Texts{"node.require_user without a [[user]] would let nobody in"});
}

TEST(ConfigurationFile, TellsAllProblemsInOrderOfLines) {
    EXPECT_EQ(
        problems("[storage]\n"
                 "on_conflict = \"kep\"\n"
                 "[nod]\n"
                 "[node]\n"
                 "prot = 104\n"
                 "port = \"104\"\n"
                 "bind = \"localhost\"\n"
                 "ae_title = \"MUCH TOO LONG FOR IT\"\n"
                 "max_pdu = \"1MiB\"\n"),
        (Texts{
            "s.toml:2: storage.on_conflict must be one of \"keep\", \"replace\": did you mean \"keep\"?",
            "s.toml:3: unknown section [nod], did you mean [node]?",
            "s.toml:5: unknown key node.prot, did you mean port?",
            "s.toml:6: node.port must be a whole number, not a string",
            "s.toml:7: node.bind must be an IP address of this machine, for example \"127.0.0.1\", or "
            "\"0.0.0.0\" for all",
            "s.toml:8: node.ae_title must be an AE title: 1 to 16 printable ASCII characters, no backslash",
            "s.toml:9: unknown key node.max_pdu: it belongs in [limits]"}));
}

TEST(ConfigurationFile, RefusesBadUnitsAndRanges) {
    EXPECT_EQ(
        problems("[limits]\n"
                 "max_pdu = 65536\n"
                 "max_object = \"2\"\n"
                 "idle_timeout = \"30 seconds\"\n"
                 "artim_timeout = \"soon\"\n"
                 "associations = 0\n"
                 "sequence_depth = 1.5\n"
                 "[storage]\n"
                 "volume_size = \"4 gb\"\n"
                 "memory_budget = \"1KiB\"\n"
                 "[node]\n"
                 "port = 70000\n"),
        (Texts{"s.toml:2: limits.max_pdu must be a size with its unit, for example \"16MiB\", not a number",
               "s.toml:3: limits.max_object 2 has no unit: add one of B, KiB, MiB, GiB, TiB (by 1024) or KB, "
               "MB, "
               "GB, TB (by 1000)",
               "s.toml:4: limits.idle_timeout 'seconds' is no unit: use ms, s, m, h or d",
               "s.toml:5: limits.artim_timeout 'soon' is no whole number with a unit, for example \"30s\"",
               "s.toml:6: limits.associations must be from 1 to 65535",
               "s.toml:7: limits.sequence_depth must be a whole number, not a decimal number",
               "s.toml:9: storage.volume_size 'gb' is no unit: use B, KiB, MiB, GiB, TiB (by 1024) or KB, "
               "MB, GB, "
               "TB (by 1000)",
               "s.toml:10: storage.memory_budget must be from 16MiB to 16TiB",
               "s.toml:12: node.port must be from 0 to 65535"}));
}

TEST(ConfigurationFile, SaysWhatComesLater) {
    EXPECT_EQ(problems("[destination]\nname = \"x\"\n[[route]]\nname = \"a\"\n[completion]\nquiet = \"60s\"\n"
                       ""),
              (Texts{"s.toml:1: [destination] is not available in this version",
                     "s.toml:3: [route] is not available in this version",
                     "s.toml:5: [completion] is not available in this version"}));
}

TEST(ConfigurationFile, FilesAreNeverReplaced) {
    EXPECT_EQ(problems("[storage]\nlayout = \"files\"\non_conflict = \"replace\"\n"),
              (Texts{"storage.on_conflict \"replace\" needs storage.layout \"volumes\": a file is never "
                     "written again"}));
    EXPECT_EQ(problems("[storage]\nlayout = \"files\"\n"), Texts());
    EXPECT_EQ(problems("[storage]\nlayout = \"files\"\nmin_free = \"1GiB\"\n"), Texts());
}

TEST(ConfigurationFile, ChecksPeers) {
    EXPECT_EQ(
        problems("[[peer]]\n"
                 "address = \"PACS@10.0.0.5\"\n"
                 "[[peer]]\n"
                 "allow = [\"echo\", \"fund\", 3]\n"
                 "[[peer]]\n"
                 "address = \"A@h:1\"\n"
                 "adress = \"A@h:1\"\n"
                 "[[peer]]\n"
                 "address = \"A@h:1\"\n"
                 "allow = \"echo\"\n"),
        (Texts{"s.toml:2: peer.address 'PACS@10.0.0.5' is no AET@HOST:PORT: the port is missing, for example "
               ":104",
               "s.toml:3: this [[peer]] has no address = \"AET@HOST:PORT\"",
               "s.toml:4: peer.allow: \"fund\" is nothing that can be allowed, did you mean \"find\"?",
               "s.toml:4: peer.allow must hold words in quotes, not a number",
               "s.toml:7: unknown key peer.adress, did you mean address?",
               "s.toml:8: the peer A@h:1 stands here twice",
               "s.toml:10: peer.allow must be a list, for example [\"echo\", \"store\"], not a string"}));
    EXPECT_EQ(problems("[peer]\naddress = \"A@h:1\"\n"),
              Texts{"s.toml:1: peers are written [[peer]], in double brackets"});
}

TEST(ConfigurationFile, RightsAreThoseOfTheListAndPeersOfOneNameAreTold) {
    const auto loaded = parse_configuration(
        "[[peer]]\naddress = \"A@h:1\"\nallow = [\"commit\"]\n[[peer]]\naddress = \"A@i:1\"\n", "s.toml");
    EXPECT_EQ(loaded.problems, Texts{});
    EXPECT_EQ(loaded.warnings,
              (Texts{"s.toml:4: several peers are called A: a C-MOVE to that name goes to the first"}));
    EXPECT_FALSE(loaded.configuration.peers.at(0).rights.echo);
    EXPECT_TRUE(loaded.configuration.peers.at(0).rights.commit);
    EXPECT_FALSE(loaded.configuration.peers.at(0).rights.mpps);
    EXPECT_TRUE(loaded.configuration.peers.at(1).rights.echo);
}

TEST(ConfigurationFile, NotifiesNobodyWhoGetsOnlyWhatIsDeidentified) {
    EXPECT_EQ(problems("[[peer]]\naddress = \"A@h:1\"\nnotify = 1\n"),
              Texts{"s.toml:3: peer.notify must be true or false"});
    const auto told = problems("[[peer]]\naddress = \"A@h:1\"\nnotify = true\ndeidentify = \"x\"\n");
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front(),
              "s.toml:1: notify names instances as they are: not for a [[peer]] with deidentify");
    const auto good = parse_configuration("[[peer]]\naddress = \"A@h:1\"\nnotify = true\n", "s.toml");
    EXPECT_EQ(good.problems, Texts{});
    EXPECT_TRUE(good.configuration.peers.at(0).notify);
    EXPECT_NE(to_toml(good.configuration).find("notify = true\n"), std::string::npos);
}

TEST(ConfigurationFile, SaysWhereTheTomlIsBroken) {
    const auto told = problems("[node]\nport = 104\nbind = \n");
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].starts_with("s.toml:3: ")) << told[0];
    EXPECT_EQ(problems("a = \"\xff\"\n"), Texts{"s.toml: is not UTF-8 text"});
    EXPECT_EQ(load_configuration("/nonexistent/s.toml").problems,
              Texts{"/nonexistent/s.toml: cannot be read: No such file or directory"});
}

TEST(ConfigurationFile, FlagsWinOverTheFile) {
    ConfigurationFlags flags;
    flags.ae_title = "OTHER";
    flags.port = "104";
    flags.set = {"limits.max_pdu=64KiB", "node.promiscuous=true", "node.port=1", "limits.associations=9"};
    flags.peers = {"PACS@10.0.0.5:104"};
    const auto loaded =
        parse_configuration("[node]\nae_title = \"FILE\"\nbind = \"0.0.0.0\"\n", "s.toml", flags);
    EXPECT_EQ(loaded.problems, Texts{});
    EXPECT_EQ(loaded.configuration.node.ae_title.view(), "OTHER");
    EXPECT_EQ(loaded.configuration.node.bind, "0.0.0.0");
    EXPECT_EQ(loaded.configuration.node.port, 104);
    EXPECT_TRUE(loaded.configuration.node.promiscuous);
    EXPECT_EQ(loaded.configuration.limits.max_pdu, 65536u);
    EXPECT_EQ(loaded.configuration.limits.associations, 9u);
    ASSERT_EQ(loaded.configuration.peers.size(), 1u);
    EXPECT_TRUE(loaded.configuration.peers[0].rights.move);
}

TEST(ConfigurationFile, TellsWhatIsWrongWithFlags) {
    ConfigurationFlags flags;
    flags.port = "high";
    flags.peers = {"PACS"};
    flags.set = {"max_pdu", "limits.maxpdu=1KiB", "storage.retention=x", "limit.max_pdu=1KiB",
                 "node.promiscuous=yes"};
    EXPECT_EQ(
        problems("", flags),
        (Texts{"--set: 'max_pdu' is no section.key=value, for example limits.max_pdu=64KiB",
               "--set: unknown key limits.maxpdu, did you mean max_pdu?",
               "--set: storage.retention is written in the file",
               "--set: unknown section [limit], did you mean [limits]?",
               "--set: node.promiscuous must be true or false", "--port: node.port must be a whole number",
               "--peer: 'PACS' is no AET@HOST:PORT: there is no '@' behind the AE title"}));
}

TEST(ConfigurationReport, SaysWhoMayComeIn) {
    Configuration c;
    EXPECT_EQ(explain(c),
              (Texts{"listens as SAGITTA on 127.0.0.1 port 11112, which only this machine reaches",
                     "keeps what it receives in sagitta-data",
                     "any calling AE title may echo, store, find, move, get, commit and mpps",
                     "C-MOVE goes nowhere: its destinations are the [[peer]]s"}));
    c.node.bind = "0.0.0.0";
    EXPECT_EQ(explain(c).at(2), "nobody may come in: add a [[peer]], or set node.promiscuous = true");
    Peer peer;
    peer.address = *parse_peer_address("PACS@10.0.0.5:104");
    peer.rights.store = false;
    c.peers.push_back(peer);
    EXPECT_EQ(explain(c), (Texts{"listens as SAGITTA on 0.0.0.0 port 11112",
                                 "keeps what it receives in sagitta-data", "strangers are refused",
                                 "PACS calling from 10.0.0.5 may echo, find, move, get, commit, mpps",
                                 "C-MOVE may send to PACS (10.0.0.5 port 104)"}));
}

}  // namespace
}  // namespace sagitta::app
