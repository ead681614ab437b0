//! JSON Schemas of our own documents, generated from the signatures.

use super::native::INSTANCE_SCHEMA;
use super::native::PLAN_SCHEMA;
use crate::constraint::Kind;
use crate::constraint::REGISTRY;
use crate::constraint::Restrictions;
use crate::constraint::Signature;
use crate::model::Durations;
use crate::model::Parameter;
use crate::model::Timed;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The documents that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaKind {
    /// Instances: `quadrille/instance/1`.
    Instance,
    /// Plans: `quadrille/plan/1`.
    Plan,
}

/// The JSON Schema (draft 2020-12) of a kind of document.
///
/// It knows shapes, not names: that a host exists, or that a number is ascending, only
/// the reader can tell.
pub fn schema(kind: SchemaKind) -> Value {
    match kind {
        SchemaKind::Instance => instance(),
        SchemaKind::Plan => plan(),
    }
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn array(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn amount() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u64::MAX})
}

fn number_of_btrplace() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "The integer in BtrPlace files; ascending, on all or on none"})
}

fn instance() -> Value {
    let text = || json!({"type": "string"});
    let amounts = || json!({"type": "object", "additionalProperties": amount()});
    let attributes =
        || json!({"type": "object", "additionalProperties": {"type": ["boolean", "number", "string"]}});
    let resource =
        object(json!({"name": text(), "default_capacity": amount(), "default_demand": amount()}), &["name"]);
    let node = object(
        json!({
            "name": text(),
            "state": {"enum": ["online", "offline"], "default": "online"},
            "capacity": amounts(),
            "tags": array(text()),
            "attributes": attributes(),
            "number": number_of_btrplace(),
            "aliases": array(text()),
        }),
        &["name"],
    );
    let vm = object(
        json!({
            "name": text(),
            "state": {
                "enum": ["init", "ready", "running", "sleeping", "killed"],
                "description": "running where nothing is said and there is a host, else ready",
            },
            "host": {"type": ["string", "null"]},
            "demand": amounts(),
            "tags": array(text()),
            "attributes": attributes(),
            "number": number_of_btrplace(),
            "aliases": array(text()),
        }),
        &["name"],
    );
    let seconds = json!({"type": "integer", "minimum": 1, "maximum": Durations::LONGEST});
    let linear = object(
        json!({"resource": text(), "coefficient": {"type": "number"}, "offset": {"type": "number"}}),
        &["resource", "coefficient"],
    );
    let durations: Map<String, Value> = Timed::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), json!({"anyOf": [seconds, linear]})))
        .collect();
    let constraints: Vec<Value> = REGISTRY.iter().map(|signature| constraint(signature)).collect();
    json!({
        "$schema": DIALECT,
        "$id": INSTANCE_SCHEMA,
        "title": "A cluster, what must hold in it, and what is preferred",
        "type": "object",
        "properties": {
            "schema": {"const": INSTANCE_SCHEMA},
            "resources": array(resource),
            "durations": object(Value::Object(durations), &[]),
            "nodes": array(node),
            "vms": array(vm),
            "constraints": array(json!({"anyOf": constraints})),
            "objective": {"type": "string", "default": "relocations,mttr"},
            "network": network(),
        },
        "required": ["schema"],
        "additionalProperties": false,
    })
}

fn network() -> Value {
    let number = || json!({"type": "integer", "minimum": 0, "maximum": u32::MAX});
    let node = || json!({"type": "string"});
    let switch = object(
        json!({
            "id": number(),
            "name": {"type": "string", "description": "what people call it"},
            "capacity": {"type": ["integer", "null"], "minimum": 1, "description": "Mbit/s; unlimited where nothing is said"},
        }),
        &["id"],
    );
    let mut link = object(
        json!({
            "id": number(),
            "capacity": {"type": "integer", "minimum": 1, "description": "Mbit/s in each direction"},
            "reserve": {"type": "integer", "minimum": 0, "description": "Mbit/s in each direction that migrations leave free"},
            "switch": {"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "the id of the switch at one end"},
            "node": {"type": "string", "description": "the node at the other end"},
            "to_switch": {"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "the id of the switch at the other end"},
        }),
        &["id", "capacity", "switch"],
    );
    if let Some(link) = link.as_object_mut() {
        link.insert("oneOf".to_owned(), json!([{"required": ["node"]}, {"required": ["to_switch"]}]));
    }
    let down =
        json!({"type": "boolean", "description": "away from the link's `switch` (true), or towards it"});
    let step = object(json!({"link": number(), "down": down}), &["link", "down"]);
    let route = object(json!({"from": node(), "to": node(), "links": array(step)}), &["from", "to", "links"]);
    let routing = json!({
        "enum": ["tree", "shortest"],
        "default": "tree",
        "description": "how traffic finds its way; beside routes only `shortest`: that of pairs of nodes without one",
    });
    let parameter = |parameter: Parameter| {
        let mut figure = json!({"type": "number", "minimum": 0, "description": parameter.expected()});
        if parameter == Parameter::MostRounds {
            figure = json!({"type": "integer", "minimum": 1, "maximum": 1000, "description": parameter.expected()});
        }
        (parameter.names()[0].to_owned(), figure)
    };
    let mut migration: Map<String, Value> = Parameter::ALL.map(parameter).into_iter().collect();
    let model = json!({"enum": ["pre_copy", "rounds"], "default": "pre_copy"});
    migration.insert("model".to_owned(), model);
    object(
        json!({
            "star": {
                "type": "integer",
                "minimum": 1,
                "description": "in place of switches and links: Mbit/s of a link from each node to one switch that never blocks",
            },
            "switches": array(switch),
            "links": array(link),
            "routing": routing,
            "routes": array(route),
            "reserve_percent": {
                "type": "integer",
                "minimum": 0,
                "maximum": 99,
                "default": 0,
                "description": "percent of each link that migrations leave free, where the link says nothing itself",
            },
            "sharing": {
                "type": "boolean",
                "default": false,
                "description": "may migrations take a half or a fourth of the bandwidth that they could?",
            },
            "migration": object(Value::Object(migration), &[]),
            "max_bandwidth": {"type": "integer", "minimum": 1, "description": "Mbit/s that no migration exceeds"},
        }),
        &[],
    )
}

/// `{"spread": {…}}`
fn constraint(signature: &Signature) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in (signature.parameters)() {
        properties.insert(parameter.name.to_owned(), argument(parameter.kind));
        if parameter.default.is_none() {
            required.push(parameter.name);
        }
    }
    let continuous = match signature.restrictions {
        Restrictions::Discrete => json!({"const": false}),
        Restrictions::Continuous => json!({"const": true}),
        Restrictions::Both(default) => {
            json!({"type": "boolean", "default": default == crate::constraint::Restriction::Continuous})
        }
    };
    properties.insert("continuous".to_owned(), continuous);
    if signature.may_be_soft {
        let penalty = json!({"type": "integer", "minimum": 1, "maximum": u32::MAX});
        properties.insert("penalty".to_owned(), penalty);
    }
    let body = object(Value::Object(properties), &required);
    let mut outer = Map::new();
    outer.insert(signature.name.to_owned(), body);
    object(Value::Object(outer), &[signature.name])
}

fn argument(kind: Kind) -> Value {
    let name = |of: &str| json!({"type": "string", "description": format!("The name of a {of}")});
    let distinct = |of: &str| json!({"type": "array", "items": name(of), "uniqueItems": true});
    match kind {
        Kind::Vm => name("VM"),
        Kind::Node => name("node"),
        Kind::Vms => array(name("VM")),
        Kind::VmList => distinct("VM"),
        Kind::Nodes => array(name("node")),
        Kind::VmSets => array(array(name("VM"))),
        Kind::NodeSets => array(array(name("node"))),
        Kind::Resource => name("resource"),
        Kind::Amount => amount(),
        Kind::Ratio => json!({"type": "number", "minimum": 1, "maximum": 1_000_000}),
        Kind::Time => json!({
            "type": "string",
            "pattern": "^(\\+[0-9]{1,6}|[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9]$",
        }),
        Kind::Word(words) => json!({"enum": words}),
    }
}

fn plan() -> Value {
    let text = || json!({"type": "string"});
    let maybe = || json!({"type": ["string", "null"]});
    let figure = || json!({"type": ["number", "null"]});
    let id = || json!({"type": "integer", "minimum": 0});
    let action = |kind: &str, clone: bool, keys: &[&str], optional: &[&str]| {
        let mut properties = Map::new();
        properties.insert("id".to_owned(), id());
        properties.insert("kind".to_owned(), json!({"const": kind}));
        for key in keys.iter().chain(optional) {
            let value = match *key {
                "amount" => amount(),
                "allocations" => json!({"type": "object", "additionalProperties": amount()}),
                "bandwidth" => {
                    json!({"type": "integer", "minimum": 1, "description": "Mbit/s of each link on the way"})
                }
                "mode" => json!({"enum": ["pre-copy", "post-copy", "cold", "fixed"]}),
                "downtime" => {
                    json!({"type": "number", "minimum": 0, "description": "s for which the VM stands still"})
                }
                _ => text(),
            };
            properties.insert((*key).to_owned(), value);
        }
        for key in ["start", "end"] {
            properties.insert(key.to_owned(), amount());
        }
        properties.insert("after".to_owned(), array(id()));
        properties.insert("reason".to_owned(), maybe());
        properties.insert("clone".to_owned(), json!({"const": clone}));
        let mut required = vec!["id", "kind", "start", "end"];
        required.extend(keys);
        if clone {
            required.push("clone");
        }
        object(Value::Object(properties), &required)
    };
    let actions = json!([
        action("migrate", false, &["vm", "from", "to"], &["allocations", "bandwidth", "mode", "downtime"]),
        action("boot", false, &["vm", "node"], &["allocations"]),
        action("boot", true, &["vm", "from", "to"], &["allocations"]),
        action("shutdown", false, &["vm", "node"], &[]),
        action("shutdown", true, &["vm", "from"], &[]),
        action("suspend", false, &["vm", "node"], &[]),
        action("resume", false, &["vm", "from", "to"], &["allocations"]),
        action("kill", false, &["vm"], &["node"]),
        action("forge", false, &["vm"], &[]),
        action("forge", true, &["vm"], &[]),
        action("allocate", false, &["vm", "node", "resource", "amount"], &[]),
        action("boot_node", false, &["node"], &[]),
        action("shutdown_node", false, &["node"], &[]),
    ]);
    json!({
        "$schema": DIALECT,
        "$id": PLAN_SCHEMA,
        "title": "What planning found: a plan, its figures, or why there is none",
        "type": "object",
        "properties": {
            "schema": {"const": PLAN_SCHEMA},
            "status": {"enum": ["optimal", "feasible", "infeasible", "unknown"]},
            "stop_reason": text(),
            "objective": {
                "description": "The first level of the objective; the others follow in `then`",
                "type": ["object", "null"],
                "properties": {
                    "name": text(), "value": figure(), "bound": figure(), "gap": figure(),
                    "then": array(json!({
                        "type": "object",
                        "properties": {"name": text(), "value": figure(), "bound": figure(), "gap": figure()},
                    })),
                },
            },
            "metrics": {"type": ["object", "null"], "additionalProperties": {"type": "integer", "minimum": 0}},
            "timings_ms": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
            "peak_rss_mib": figure(),
            "plan": {
                "anyOf": [
                    {"type": "null"},
                    {
                        "type": "object",
                        "properties": {"actions": array(json!({"anyOf": actions}))},
                        "required": ["actions"],
                    },
                ],
            },
            "conflict": {},
        },
        "required": ["schema", "plan"],
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::format::native;
    use crate::format::testing;
    use crate::format::testing::Choices;
    use crate::format::testing::Scope;
    use proptest::prelude::*;

    /// Does a value fit a schema? Knows the keywords that are used here, and no others.
    fn fits(schema: &Value, value: &Value) -> Result<(), String> {
        let fail = |what: &str| Err(format!("{what}: {value} against {schema}"));
        for (keyword, expected) in schema.as_object().ok_or("a schema is an object")? {
            let list = || expected.as_array().map(Vec::as_slice).unwrap_or_default();
            let ok = match keyword.as_str() {
                "type" => {
                    let is = |name: &Value| match name.as_str() {
                        Some("object") => value.is_object(),
                        Some("array") => value.is_array(),
                        Some("string") => value.is_string(),
                        Some("boolean") => value.is_boolean(),
                        Some("null") => value.is_null(),
                        Some("integer") => value.is_u64() || value.is_i64(),
                        Some("number") => value.is_number(),
                        _ => false,
                    };
                    if expected.is_array() { list().iter().any(is) } else { is(expected) }
                }
                "const" => value == expected,
                "enum" => list().contains(value),
                "minimum" => value.as_f64().is_none_or(|number| Some(number) >= expected.as_f64()),
                "maximum" => value.as_f64().is_none_or(|number| Some(number) <= expected.as_f64()),
                "anyOf" => list().iter().any(|schema| fits(schema, value).is_ok()),
                "oneOf" => list().iter().filter(|schema| fits(schema, value).is_ok()).count() == 1,
                "items" => {
                    for item in value.as_array().map(Vec::as_slice).unwrap_or_default() {
                        fits(expected, item)?;
                    }
                    true
                }
                "uniqueItems" => value.as_array().is_none_or(|items| {
                    items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
                }),
                "required" => {
                    let has = |key: &Value| value.get(key.as_str().unwrap_or_default()).is_some();
                    !value.is_object() || list().iter().all(has)
                }
                "properties" => {
                    for (key, schema) in expected.as_object().ok_or("properties are an object")? {
                        if let Some(value) = value.get(key) {
                            fits(schema, value)?;
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = schema.get("properties").and_then(Value::as_object);
                    for (key, value) in value.as_object().into_iter().flatten() {
                        match known.is_some_and(|known| known.contains_key(key)) {
                            true => {}
                            false if expected == &Value::Bool(false) => {
                                return fail(&format!("unknown key {key}"));
                            }
                            false => fits(expected, value)?,
                        }
                    }
                    true
                }
                // A test of the pattern would need a machine for it.
                "pattern" | "description" | "default" | "title" | "$schema" | "$id" => true,
                _ => return Err(format!("the keyword {keyword} is not known")),
            };
            if !ok {
                return fail(keyword);
            }
        }
        Ok(())
    }

    /// A document that was printed fits.
    pub(in crate::format) fn fits_plan(document: &Value) {
        assert_eq!(fits(&schema(SchemaKind::Plan), document), Ok(()));
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn a_schema_refuses_what_the_reader_refuses() {
        let schema = schema(SchemaKind::Instance);
        let fit =
            |rest: &str| fits(&schema, &value(&format!(r#"{{"schema": "quadrille/instance/1", {rest}}}"#)));
        assert_eq!(
            fit(r#""constraints": [{"spread": {"vms": ["a"], "continuous": true, "penalty": 3}}]"#),
            Ok(())
        );
        assert_eq!(fit(r#""constraints": [{"ft": {}}], "durations": {"boot": 3}"#), Ok(()));
        for bad in [
            r#""node": []"#,
            r#""nodes": [{"state": "online"}]"#,
            r#""nodes": [{"name": "a", "state": "on"}]"#,
            r#""vms": [{"name": "a", "demand": {"cpu": -1}}]"#,
            r#""constraints": [{"spread": {}}]"#,
            r#""constraints": [{"spraed": {"vms": []}}]"#,
            r#""constraints": [{"spread": {"vms": [], "penalty": 0}}]"#,
            r#""constraints": [{"root": {"vm": "a", "continuous": false}}]"#,
            r#""durations": {"boot": 0}"#,
            r#""network": {"links": [{"id": 1, "capacity": 1, "switch": 1}]}"#,
        ] {
            assert!(fit(bad).is_err(), "{bad}");
        }
        assert!(fits(&schema, &value("{}")).is_err());
    }

    #[test]
    fn every_constraint_is_in_the_schema() {
        let schema = schema(SchemaKind::Instance);
        let listed = &schema["properties"]["constraints"]["items"]["anyOf"];
        for signature in REGISTRY {
            let own = listed
                .as_array()
                .and_then(|all| all.iter().find_map(|one| one["properties"].get(signature.name)));
            let body = own.unwrap_or_else(|| panic!("{} is missing", signature.name));
            for parameter in (signature.parameters)() {
                assert!(
                    body["properties"].get(parameter.name).is_some(),
                    "{} {}",
                    signature.name,
                    parameter.name
                );
            }
        }
    }

    #[test]
    fn a_plan_fits_its_schema() {
        let schema = schema(SchemaKind::Plan);
        let plan = r#"{"schema": "quadrille/plan/1", "status": "optimal", "stop_reason": "proved",
            "objective": {"name": "relocations", "value": 1, "bound": 1, "gap": 0.0, "then": []},
            "metrics": {"relocations": 1}, "timings_ms": {"read": 0.5}, "peak_rss_mib": null, "conflict": null,
            "plan": {"actions": [
                {"id": 0, "kind": "migrate", "vm": "a", "from": "n", "to": "m", "start": 0, "end": 1, "after": [],
                 "reason": "", "allocations": {"cpu": 5}},
                {"id": 1, "kind": "boot", "clone": true, "vm": "a", "from": "n", "to": "m", "start": 0, "end": 1, "after": [0]},
                {"id": 2, "kind": "shutdown_node", "node": "n", "start": 0, "end": 1, "after": [0]}]}}"#;
        assert_eq!(fits(&schema, &value(plan)), Ok(()));
        for (from, to) in
            [("\"migrate\"", "\"move\""), ("\"from\": \"n\", \"to\"", "\"to\""), ("\"id\": 2", "\"id\": -2")]
        {
            assert!(fits(&schema, &value(&plan.replacen(from, to, 1))).is_err(), "{from}");
        }
        assert_eq!(fits(&schema, &value(r#"{"schema": "quadrille/plan/1", "plan": null}"#)), Ok(()));
    }

    proptest! {
        #![proptest_config(testing::config())]

        #[test]
        fn written_instances_fit_the_schema(numbers in testing::choices()) {
            let instance = testing::instance(&mut Choices::new(numbers), Scope::Quadrille);
            let text = native::write_instance(&instance).expect("it can be said");
            prop_assert_eq!(fits(&schema(SchemaKind::Instance), &value(&text)), Ok(()));
        }
    }
}
