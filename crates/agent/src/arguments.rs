//! What a tool takes: declared once, shown to the model as a JSON schema, and checked by the same declaration, with answers that
//! say what is right.

use serde_json::{Map, Value, json};

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// For the model.
    pub about: &'static str,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// True or false.
    Flag,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of noughts and ones.
    Bits,
}

/// An argument that must be there.
pub const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: true, about }
}

/// An argument that may be there.
pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: false, about }
}

/// The JSON schema of an object with these fields.
pub fn schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

impl Field {
    fn schema(&self) -> Value {
        let about = self.about;
        match self.kind {
            Kind::Text => json!({"type": "string", "description": about}),
            Kind::Integer(from, to) => {
                json!({"type": "integer", "minimum": from, "maximum": to, "description": about})
            }
            Kind::Flag => json!({"type": "boolean", "description": about}),
            Kind::Choice(choices) => json!({"type": "string", "enum": choices, "description": about}),
            Kind::Bits => {
                json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 1}, "description": about})
            }
        }
    }

    /// For messages: `path: text`.
    fn spoken(&self) -> String {
        let mark = if self.required { "" } else { "?" };
        let kind = match self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Integer(from, to) => format!("integer {from} to {to}"),
            Kind::Flag => "true or false".to_owned(),
            Kind::Choice(choices) => choices.join(" | "),
            Kind::Bits => "list of 0 and 1".to_owned(),
        };
        format!("{}{mark}: {kind}", self.name)
    }

    /// The value as it should be; forgives numbers and flags written as texts, and whole numbers written as fractions.
    fn read(&self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match self.kind {
            Kind::Text => value.is_string().then(|| value.clone()),
            Kind::Integer(from, to) => {
                let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
                let number =
                    value.as_i64().or_else(|| value.as_f64().and_then(whole)).or_else(|| text?.parse().ok())?;
                (from..=to).contains(&number).then(|| number.into())
            }
            Kind::Flag => value.as_bool().or_else(|| text?.to_lowercase().parse().ok()).map(Value::Bool),
            Kind::Choice(choices) => {
                choices.iter().find(|choice| text == Some(**choice)).map(|choice| (*choice).into())
            }
            Kind::Bits => {
                let bits = value.as_array()?;
                bits.iter().all(|bit| bit.as_u64().is_some_and(|bit| bit <= 1)).then(|| value.clone())
            }
        }
    }
}

/// Checked arguments.
#[derive(Clone, Debug, Default)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    /// Check what a model sent against what a tool takes.
    pub fn check(fields: &[Field], sent: &Value) -> Result<Self, String> {
        let takes = || {
            let fields: Vec<String> = fields.iter().map(Field::spoken).collect();
            format!("It takes an object {{{}}}.", fields.join(", "))
        };
        let mut checked = Map::new();
        for (name, value) in object(sent).map_err(|problem| format!("{problem} {}", takes()))? {
            let field = fields.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| format!("There is no argument {name:?}. {}", takes()))?;
            if value.is_null() && !field.required {
                continue;
            }
            let shown: String = value.to_string().chars().take(80).collect();
            let wrong = || format!("The argument {name:?} can't be {shown}: it is {}. {}", field.spoken(), takes());
            checked.insert(name.clone(), field.read(&value).ok_or_else(wrong)?);
        }
        match fields.iter().find(|field| field.required && !checked.contains_key(field.name)) {
            Some(field) => Err(format!("The argument {:?} is missing. {}", field.name, takes())),
            None => Ok(Self(checked)),
        }
    }

    /// A text; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// A text, where it is there and not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A number, where it is there.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// Noughts and ones, where they are there.
    pub fn bits(&self, name: &str) -> Option<Vec<u8>> {
        let bits = self.0.get(name).and_then(Value::as_array)?;
        Some(bits.iter().map(|bit| u8::from(bit.as_u64() == Some(1))).collect())
    }

    /// A flag; false where it is absent.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }
}

/// The object in what was sent. A text that holds one is forgiven; no arguments at all are an empty one.
fn object(sent: &Value) -> Result<Map<String, Value>, String> {
    match sent {
        Value::Object(map) => Ok(map.clone()),
        Value::Null => Ok(Map::new()),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        Value::String(text) => serde_json::from_str(text).map_err(|_| {
            let shown: String = text.chars().take(120).collect();
            format!("The arguments were not a JSON object but text: {shown:?}.")
        }),
        other => Err(format!(
            "The arguments were not a JSON object but {}.",
            other.to_string().chars().take(80).collect::<String>()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        needed("path", Kind::Text, "a file"),
        optional("lines", Kind::Integer(1, 100), "how many"),
        optional("deep", Kind::Flag, "whether"),
        optional("kind", Kind::Choice(&["result", "insight"]), "what"),
    ];

    #[test]
    fn right_and_nearly_right_arguments_pass() {
        let check = |sent: Value, lines, deep| {
            let arguments = Arguments::check(FIELDS, &sent).unwrap();
            assert_eq!(arguments.text("path"), "a");
            assert_eq!((arguments.number("lines"), arguments.flag("deep")), (lines, deep), "{sent}");
        };
        check(json!({"path": "a"}), None, false);
        check(json!({"path": "a", "lines": 3, "deep": true, "kind": "result"}), Some(3), true);
        check(json!({"path": "a", "lines": "3", "deep": "True", "kind": null}), Some(3), true);
        check(json!({"path": "a", "lines": 3.0}), Some(3), false);
        check(json!("{\"path\": \"a\"}"), None, false);
    }

    #[test]
    fn wrong_ones_get_an_answer_that_says_what_is_right() {
        let check = |sent: Value, expect: &str| {
            let said = Arguments::check(FIELDS, &sent).unwrap_err();
            assert!(said.contains(expect) && said.contains("path: text, lines?: integer 1 to 100"), "{said}");
        };
        check(json!({}), "\"path\" is missing");
        check(Value::Null, "\"path\" is missing");
        check(json!("please read the file a for me"), "not a JSON object but text");
        check(json!([1, 2]), "not a JSON object but [1,2]");
        check(json!({"path": 7}), "\"path\" can't be 7: it is path: text");
        check(json!({"path": "a", "lines": 0}), "integer 1 to 100");
        check(json!({"path": "a", "lines": 2.5}), "can't be 2.5");
        check(json!({"path": "a", "kind": "rumour"}), "result | insight");
        check(json!({"path": "a", "file": "b"}), "no argument \"file\"");
    }

    #[test]
    fn the_schema_says_the_same() {
        let schema = schema(FIELDS);
        assert_eq!(schema["required"], json!(["path"]));
        assert_eq!(schema["properties"]["kind"]["enum"], json!(["result", "insight"]));
        assert_eq!(schema["additionalProperties"], json!(false));
    }
}
