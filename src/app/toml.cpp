#include "app/toml.h"

namespace sagitta::app {

std::string_view type_name(toml::node_type type) {
    switch (type) {
        case toml::node_type::table: return "a table";
        case toml::node_type::array: return "an array";
        case toml::node_type::string: return "a string";
        case toml::node_type::integer: return "a number";
        case toml::node_type::floating_point: return "a decimal number";
        case toml::node_type::boolean: return "true or false";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time: return "a date or time";
        default: return "nothing";
    }
}

RawValue raw_value(const toml::node& node) {
    RawValue raw;
    raw.type_name = type_name(node.type());
    if (const auto* text = node.as_string()) {
        raw.kind = RawKind::string;
        raw.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        raw.kind = RawKind::integer;
        raw.integer = integer->get();
    } else if (const auto* boolean = node.as_boolean()) {
        raw.kind = RawKind::boolean;
        raw.boolean = boolean->get();
    } else if (const auto* array = node.as_array()) {
        raw.list.emplace();
        for (const auto& one : *array) {
            if (const auto* word = one.as_string()) raw.list->push_back(word->get());
        }
        if (raw.list->size() != array->size()) raw.list.reset();
    }
    return raw;
}

}  // namespace sagitta::app
