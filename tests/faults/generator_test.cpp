#include <set>

#include <doctest/doctest.h>

#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;
using action::Choice;

namespace {

Choice entry(std::int32_t weight, Action act) {
    Choice c;
    c.weight = weight;
    c.act = std::move(act);
    return c;
}

}  // namespace

TEST_CASE("a mix draws one entry a firing by weight, and its own fields win") {
    Choice pause = entry(3, action::Pause{});
    pause.targets = Targets{broker(2)};
    pause.lasts = lasting(milliseconds(200));
    Fault f = every("f", fixed(seconds(1)),
                    action::Mix{{pause, entry(1, action::SlowDisk{fixed(milliseconds(7))}),
                                 entry(0, action::Crash{})}},
                    {broker(1)});
    f.lasts = lasting(milliseconds(400));
    Plan plan = plan_of({f});
    plan.chaos_end = sim::time_zero + seconds(400);
    Stage stage(plan);

    stage.run_to(milliseconds(399'900));

    int pauses = 0;
    int disks = 0;
    for (const auto& line : stage.said()) {
        pauses += line.find("pause 2") != std::string::npos ? 1 : 0;
        disks += line.find("disk 1 +7ms") != std::string::npos ? 1 : 0;
        CHECK(line.find("crash") == std::string::npos);
    }
    CHECK(pauses + disks == 399);
    CHECK(pauses > 250);
    CHECK(disks > 60);
    for (const auto& deed : stage.report().deeds)
        CHECK(*deed.ended - deed.at ==
              (deed.word == "pause" ? milliseconds(200) : milliseconds(400)));
}

TEST_CASE("a mix may draw nothing, and mixes may be nested") {
    const action::Mix inner{{entry(1, action::Pause{}), entry(1, action::Nothing{})}};
    Fault f = every("f", fixed(seconds(1)),
                    action::Mix{{entry(1, inner), entry(1, action::LieFsync{})}}, {broker(1)});
    f.lasts = lasting(milliseconds(100));
    Stage stage(plan_of({f}));

    stage.run_to(seconds(59));

    std::set<std::string_view> words;
    for (const auto& deed : stage.report().deeds) words.insert(deed.word);
    CHECK(words == std::set<std::string_view>{"pause", "none", "lie-fsync"});
}

TEST_CASE("a mix on a message decides its fate") {
    Fault f =
        when("f", mile::sent, action::Mix{{entry(1, action::Drop{}), entry(1, action::Nothing{})}});
    Stage stage(plan_of({f}));

    int lost = 0;
    for (int i = 0; i < 100; ++i)
        lost += stage.pass(request(4, 1)).kind == sim::Fate::Kind::lose ? 1 : 0;

    CHECK(lost > 25);
    CHECK(lost < 75);
}

TEST_CASE("the until of a mix's entry wins over the fault's") {
    Choice pause = entry(1, action::Pause{});
    pause.until = until(mile::appended);
    Fault f = at("f", seconds(1), action::Mix{{pause}}, {broker(1)});
    f.until = until(mile::loop);
    Stage stage(plan_of({f}));
    stage.run_to(seconds(2));

    stage.reach(milestone(mile::loop));
    const auto still = stage.state({1});
    stage.reach(milestone(mile::appended));

    CHECK(still == sim::NodeState::paused);
    CHECK(stage.state({1}) == sim::NodeState::running);
}

TEST_CASE("a swizzle hits a subset one by one and releases it in another order") {
    bool whole = false;
    bool part = false;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        Fault f = at("f", seconds(1),
                     action::Swizzle{{entry(1, action::Pause{})},
                                     sim::Spread::uniform(milliseconds(100), milliseconds(900))},
                     {target(K::brokers)});
        f.lasts = lasting(seconds(5));
        Plan plan = plan_of({f});
        plan.seed = seed;
        Stage stage(plan);

        stage.run_to(seconds(30));

        const auto lines = stage.said();
        const std::size_t n = lines.size() / 2;
        REQUIRE(n >= 1);
        REQUIRE(lines.size() == 2 * n);
        Lines hits;
        Lines releases;
        for (std::size_t i = 0; i < n; ++i) {
            CHECK(lines[i].find("pause") != std::string::npos);
            CHECK(lines[n + i].find("resume") != std::string::npos);
            hits.push_back(lines[i].substr(lines[i].size() - 1));
            releases.push_back(lines[n + i].substr(lines[n + i].size() - 1));
        }
        if (n > 1) CHECK(hits != releases);
        std::sort(hits.begin(), hits.end());
        std::sort(releases.begin(), releases.end());
        CHECK(hits == releases);
        CHECK(stage.report().ended == 1);
        whole = whole || n == 3;
        part = part || n < 3;
    }
    CHECK(whole);
    CHECK(part);
}

TEST_CASE("a swizzle of cuts heals every link, also when the chaos ends in its midst") {
    Fault f =
        at("f", seconds(58), action::Swizzle{{entry(1, action::Isolate{})}, fixed(seconds(1))},
           {target(K::brokers)});
    f.lasts = Lasting::forever();
    Stage stage(plan_of({f}));

    stage.run_to(seconds(90));

    std::map<std::string, std::string> links;
    for (const auto& line : stage.said()) {
        const auto begin = line.find("link ") + 5;
        links[line.substr(begin, 3)] = line.substr(begin + 3);
    }
    CHECK_FALSE(links.empty());
    for (const auto& [link, state] : links) CHECK(state.empty());
}
