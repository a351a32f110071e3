//! Lines of JSON, and what is in them.

use std::io::{self, BufRead as _, Write as _};

use serde_json::{Value, json};
use wasmtime::Result;

use crate::gate::wit;

/// Reads a line; `None` at the end.
pub(crate) fn read() -> Result<Option<Value>> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

/// Writes a line, and flushes: who reads it waits for it.
pub(crate) fn write(value: &Value) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{value}")?;
    Ok(stdout.flush()?)
}

/// Returns the octets of a member.
pub(crate) fn octets(value: &Value, name: &str) -> Vec<u8> {
    encoded(value.get(name))
}

/// Returns the fields of the member `headers`.
pub(crate) fn fields(value: &Value) -> Vec<wit::Field> {
    let pairs = value.get("headers").and_then(Value::as_array);
    let pairs = pairs.into_iter().flatten();
    pairs
        .map(|pair| wit::Field {
            name: pair
                .get(0)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            value: encoded(pair.get(1)),
        })
        .collect()
}

/// Returns edits as JSON has them here.
pub(crate) fn edits(edits: &wit::HeaderEdits) -> Value {
    json!({"remove": edits.remove, "add": shown(&edits.add), "set": shown(&edits.set)})
}

/// Returns fields as pairs of a name and a value.
pub(crate) fn shown(fields: &[wit::Field]) -> Value {
    let pairs = fields.iter();
    pairs
        .map(|field| json!([field.name, text(&field.value)]))
        .collect()
}

/// Returns octets as text, a character each, as [`octets`] reads them.
pub(crate) fn text(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

fn encoded(value: Option<&Value>) -> Vec<u8> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    // What is no octet cannot be told.
    text.chars()
        .map(|octet| u8::try_from(octet).unwrap_or(b'?'))
        .collect()
}
