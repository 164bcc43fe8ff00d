//! What the drivers tell on standard output: one line an event, for people or as JSON.

use serde_json::Map;
use serde_json::Value;

/// Prints events, as text or as JSON objects.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) json: bool,
}

impl Report {
    /// Prints one event: `NAME key=value …`, or `{"event": "name", "key": value, …}`.
    pub(crate) fn event(&self, name: &str, fields: &[(&str, Value)]) {
        if self.json {
            let mut object = Map::new();
            object.insert("event".into(), Value::from(name.to_lowercase()));
            for (key, value) in fields {
                object.insert((*key).into(), value.clone());
            }
            println!("{}", Value::from(object));
        } else {
            let fields: String = fields.iter().map(|(k, v)| format!(" {k}={}", plain(v))).collect();
            println!("{name}{fields}");
        }
    }
}

/// A value without the quotes of JSON, but for one that a reader could not tell from its
/// neighbours.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) if text.is_empty() || text.contains([' ', '"', '=']) => {
            format!("{text:?}")
        }
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
