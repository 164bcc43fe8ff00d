//! What the drivers tell on standard output: one line an event, for people or as JSON.

use serde_json::Map;
use serde_json::Value;

/// Prints events, as text or as JSON objects.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) json: bool,
}

impl Report {
    /// Prints one event: `NAME key=value …`, or `{"event": "name", "key": "value", …}`.
    pub(crate) fn event(&self, name: &str, fields: &[(&str, String)]) {
        if self.json {
            let mut object = Map::new();
            object.insert("event".into(), Value::from(name.to_lowercase()));
            for (key, value) in fields {
                object.insert((*key).into(), Value::from(value.as_str()));
            }
            println!("{}", Value::from(object));
        } else {
            let fields: String =
                fields.iter().map(|(k, v)| format!(" {k}={}", quoted(v))).collect();
            println!("{name}{fields}");
        }
    }
}

/// Puts quotes around a value that a reader could not tell from its neighbours.
fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && !value.contains([' ', '"', '=']);
    if plain { value.into() } else { format!("{value:?}") }
}
