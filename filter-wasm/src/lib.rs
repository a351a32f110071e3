//! Client authentication for MCP servers as an Envoy proxy-wasm filter.
//!
//! The filter decides nothing: it hands each request to the engine of `portcullis-core` and
//! carries the decision out. Everything belongs to the root context, so that two plugins of one
//! image, which share a VM, share nothing else.

mod attempts;
mod audit;
mod exchange;
mod gate;
mod host;
mod http;
mod lease;
mod metrics;
mod record;
mod root;
mod store;
mod trace;
mod verifier;

// Reading the head of a request takes some thirty allocations, which are most of what a warm request
// costs inside the VM.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

proxy_wasm::main! {{
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(root::AuthRoot::new(id)));
}}
