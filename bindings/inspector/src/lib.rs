//! The inspector: what a gateway with these settings makes of a request, step by step.
//!
//! It is the core's own explanation with JSON around it. It reads no clock, draws no random
//! numbers and calls nobody, so what is pasted stays where it is.

mod curl;
mod input;
mod pasted;
mod report;
mod settings;

use js_sys::JSON;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

use crate::input::Input;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Explains a request; see the types of input and report.
///
/// # Errors
///
/// Throws where settings or request cannot be understood, in words that say what to mend and
/// quote no value.
#[wasm_bindgen(unchecked_return_type = "Report")]
pub fn inspect(
    #[wasm_bindgen(unchecked_param_type = "Input")] input: &JsValue,
) -> Result<JsValue, JsError> {
    let text = JSON::stringify(input)
        .ok()
        .and_then(|text| text.as_string());
    let text = text.ok_or_else(|| JsError::new("the input is not a JSON value"))?;
    let report = explained(&text).map_err(|problem| JsError::new(&problem))?;
    JSON::parse(&report).map_err(|_| JsError::new("the report is not JSON"))
}

/// The same from text to text, as it can be tried without JavaScript.
fn explained(input: &str) -> Result<String, String> {
    let report = Input::parse(input)?.explain()?;
    serde_json::to_string(&report).map_err(|_| "the report cannot be written".to_owned())
}

#[cfg(test)]
mod tests;
