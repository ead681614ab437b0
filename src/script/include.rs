//! JSON documents as variables: `$site.racks`.

use super::limits;
use super::operate;
use super::value::Number;
use super::value::Value;
use rustc_hash::FxHashMap;
use serde::de::DeserializeSeed;
use serde::de::Error as _;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use std::cell::Cell;
use std::fmt;

/// A document: values by their path. The path of the document is empty, that of a value
/// in an object starts with a dot.
#[derive(Debug, Default)]
pub(super) struct Included {
    /// In place of what cannot be a value: why.
    pub(super) values: FxHashMap<String, Result<Value, String>>,
}

/// The most values of a document, members of arrays included.
const VALUES: usize = 4_000_000;

/// Reads a document.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn read(text: &str) -> Result<Included, String> {
    let count = Cell::new(0);
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Seed(&count).deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    let mut included = Included::default();
    let mut open = vec![(String::new(), node)];
    while let Some((path, node)) = open.pop() {
        let value = match node {
            Node::Value(value) => Ok(value),
            Node::Unusable(why) => Err(why),
            Node::Object(entries) => {
                let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
                keys.sort_unstable();
                if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(format!("the key `{}` is given twice", super::fault::short(pair[0])));
                }
                let some: Vec<&str> = keys.iter().copied().take(5).collect();
                let why = format!("an object; its values have names of their own: {}", some.join(", "));
                for (key, node) in entries {
                    open.push((format!("{path}.{key}"), node));
                }
                Err(why)
            }
        };
        included.values.insert(path, value);
    }
    Ok(included)
}

enum Node {
    Value(Value),
    Unusable(String),
    Object(Vec<(String, Node)>),
}

/// Counts what has been read so far.
struct Seed<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.0.set(self.0.get() + 1);
        if self.0.get() > VALUES {
            return Err(D::Error::custom(format!("it has more than {VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Value(Value::boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Value(Value::integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Node::Value(Value::integer(value)),
            Err(_) => Node::Unusable("a number beyond 64 bits".to_owned()),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(if value.is_finite() {
            Node::Value(Value::Number(Number::Float(value + 0.0)))
        } else {
            Node::Unusable("not a number".to_owned())
        })
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(if value.len() <= limits::TEXT {
            Node::Value(Value::Text(value.into()))
        } else {
            Node::Unusable(format!("a text of more than {} bytes", limits::TEXT))
        })
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Unusable("`null`".to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(Seed(self.0))?));
        }
        Ok(Node::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        let mut fault = None;
        while fault.is_none()
            && let Some(node) = seq.next_element_seed(Seed(self.0))?
        {
            match node {
                Node::Value(value) => values.push(value),
                Node::Unusable(why) => fault = Some(format!("an array with {why} in it")),
                Node::Object(_) => fault = Some("an array of objects".to_owned()),
            }
            if values.len() > limits::SET {
                fault = Some(format!("an array of more than {} values", limits::SET));
            }
        }
        if fault.is_some() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(match fault {
            Some(why) => Node::Unusable(why),
            None => match operate::literal(values) {
                Ok((set, _)) => Node::Value(Value::Set(set)),
                Err(fault) => Node::Unusable(format!("an array that is no set: {}", fault.message)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, path: &str) -> Result<String, String> {
        let included = read(text)?;
        match included.values.get(path) {
            Some(Ok(value)) => Ok(value.type_name()),
            Some(Err(why)) => Err(why.clone()),
            None => Err("missing".to_owned()),
        }
    }

    #[test]
    fn documents_become_variables() {
        const TEXT: &str = r#"{"racks": [["n1", "n2"], ["n3"]], "limit": 4, "ratio": 1.5, "on": true,
            "deep": {"name": "x"}, "none": null, "mixed": [1, "a"], "empty": []}"#;
        assert_eq!(value(TEXT, ".racks").as_deref(), Ok("set<set<string>>"));
        assert_eq!(value(TEXT, ".limit").as_deref(), Ok("number"));
        assert_eq!(value(TEXT, ".on").as_deref(), Ok("number"));
        assert_eq!(value(TEXT, ".deep.name").as_deref(), Ok("string"));
        assert_eq!(value(TEXT, ".empty").as_deref(), Ok("set<>"));
        for path in [".none", ".mixed", ".deep", ""] {
            assert!(value(TEXT, path).is_err(), "{path}");
        }
        assert_eq!(value("[1, 2]", "").as_deref(), Ok("set<number>"));
    }

    #[test]
    fn bad_documents_are_refused() {
        for text in ["", "{", "[1,]", "{\"a\": 1, \"a\": 2}", "[1] 2", &"[".repeat(100_000), "1e999"] {
            assert!(read(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
        let many = format!("[{}1]", "1,".repeat(limits::SET + 1));
        assert!(value(&many, "").is_err_and(|why| why.contains("more than")));
        let huge = format!("{{\"a\": {many}, \"b\": {many}, \"c\": {many}, \"d\": {many}}}");
        assert!(read(&huge).is_err_and(|why| why.contains("values")));
        assert_eq!(value("18446744073709551615", ""), Err("a number beyond 64 bits".to_owned()));
    }
}
