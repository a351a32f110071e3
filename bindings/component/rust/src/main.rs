//! Decides what comes in by lines of JSON, for tests: requests go in, decisions come out. Octets
//! are the characters U+0000 to U+00FF.
//!
//! usage: portcullis-component-rust COMPONENT.wasm

mod calls;
mod gate;
mod lines;
#[path = "../../../../tests/src/wire.rs"]
#[expect(
    clippy::indexing_slicing,
    reason = "shared with the harness of the tests"
)]
mod wire;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::gate::Gate;
use crate::gate::wit::{Decision, RequestBody, RequestHead};
use crate::lines::{edits, fields, octets, read, shown, text, write};

fn main() -> Result<()> {
    let component = std::env::args_os().nth(1).context("give the component")?;
    let settings = read()?.context("the settings are missing")?;
    let mut gate = match Gate::new(component.as_ref(), &settings.to_string(), seed()?)? {
        Ok(gate) => gate,
        Err(refused) => {
            write(&json!({"refused": refused}))?;
            std::process::exit(1);
        }
    };
    write(&json!({"mode": gate.mode()?, "warnings": gate.warnings()?}))?;
    while let Some(request) = read()? {
        let head = RequestHead {
            method: octets(&request, "method"),
            authority: octets(&request, "authority"),
            path: octets(&request, "path"),
            headers: fields(&request),
            peer: request
                .get("peer")
                .and_then(|peer| Some(peer.as_str()?.to_owned())),
        };
        let body = octets(&request, "body");
        let read_body = |most: u64| match u64::try_from(body.len()) {
            Ok(length) if length <= most => RequestBody::Whole(body),
            _ => RequestBody::TooLarge,
        };
        match gate.decide(&head, read_body)? {
            Decision::Respond(response) => write(&json!({"respond": {
                "status": response.status,
                "headers": shown(&response.headers),
                "body": text(&response.body),
                "reason": response.reason,
            }}))?,
            Decision::Forward(forward) => {
                write(&json!({"forward": edits(&forward.request)}))?;
                let response = read()?.context("the response is missing")?;
                let changed = gate.response_edits(forward.passage, &fields(&response))?;
                write(&edits(&changed))?;
            }
        }
    }
    Ok(())
}

/// Draws the random octets of an engine.
fn seed() -> Result<[u8; 32]> {
    use std::io::Read as _;
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// Returns the wall clock.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
