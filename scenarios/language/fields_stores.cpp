// Fields of stores (language.md, section 3).

#include <array>

#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {

constexpr std::array store_fields{
    Field{.name = "kind",
          .type = Type::word,
          .help = "what it is",
          .example = "sql",
          .words = &store_kinds,
          .required = true},
    Field{.name = "latency",
          .type = Type::spread,
          .fallback = "1ms..2ms",
          .help = "one way, of every link that ends at it"},
    Field{.name = "work",
          .type = Type::duration,
          .fallback = "1ms",
          .help = "service time per statement or call"},
    Field{.name = "remember",
          .type = Type::duration,
          .help = "how long identities are kept; default for ever",
          .example = "24h"},
    Field{.name = "on_duplicate",
          .type = Type::word,
          .fallback = "ignore",
          .help = "answer to a known identity",
          .words = &duplicate_answers},
    Field{.name = "in_flight",
          .type = Type::word,
          .fallback = "block",
          .help = "http: answer to a key whose call still runs",
          .words = &in_flight_answers},
    Field{.name = "keep",
          .type = Type::word,
          .fallback = "all",
          .help = "http: which answers are stored",
          .words = &kept_answers},
    Field{.name = "timestamps",
          .type = Type::word,
          .fallback = "record",
          .help = "kv: where the timestamp of a write comes from",
          .words = &write_times},
    Field{.name = "in_doubt",
          .type = Type::duration,
          .fallback = "wait",
          .help = "sql: after which time the store rolls a prepared transaction back by itself",
          .words = &in_doubt_words},
    Field{.name = "visibility",
          .type = Type::duration,
          .help = "queue: until a message is delivered again",
          .missing = queues},
    Field{.name = "max_receives",
          .type = Type::integer,
          .help = "queue: deliveries at most",
          .missing = queues},
    Field{.name = "dead_letters",
          .type = Type::name,
          .help = "queue: where a message goes afterwards",
          .missing = queues},
};

}  // namespace

const Section store_section{"store", "in a store", store_fields};

}  // namespace eos::scenarios
