//! The host calls: those of the proxy-wasm ABI 0.2.1, and the few of WASI that the module imports.

use wasmi::{Caller, Error, Val};

use crate::arguments::Arguments;
use crate::host::{Event, Host, NOW, pack, unpack};
use crate::signature;

const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const CAS_MISMATCH: i32 = 8;

/// Kinds of buffers.
const CALL_RESPONSE_BODY: usize = 4;
const PLUGIN_CONFIGURATION: usize = 7;

/// The id of every queue; there is one filter here, which needs one.
const QUEUE: u32 = 1;

/// Counts the host call `name` and carries it out.
pub(crate) fn call(caller: Caller<'_, Host>, name: &str, values: &[Val]) -> Result<i32, Error> {
    let mut arguments = Arguments::new(caller, values);
    let short = name.strip_prefix("proxy_").unwrap_or(name);
    *arguments.host().calls.entry(short.to_owned()).or_default() += 1;
    if let Some(status) = fields(short, &mut arguments)? {
        return Ok(status);
    }
    if let Some(status) = data(short, &mut arguments)? {
        return Ok(status);
    }
    match short {
        "log" => {
            let line = arguments.text(1);
            arguments.host().log.push(line);
        }
        "get_log_level" => arguments.write(0, &2_u32.to_le_bytes()),
        "get_current_time_nanoseconds" => arguments.write(0, &NOW.to_le_bytes()),
        "set_tick_period_milliseconds"
        | "continue_stream"
        | "set_effective_context"
        | "increment_metric"
        | "record_metric" => {}
        "define_metric" => {
            let metric = arguments.text(1);
            let metrics = &mut arguments.host().metrics;
            metrics.push(metric);
            let id = u32::try_from(metrics.len()).unwrap();
            arguments.write(3, &id.to_le_bytes());
        }
        "send_local_response" => {
            let status = arguments.number(0);
            let fields = unpack(&arguments.bytes(5));
            let host = arguments.host();
            host.answered = Some(status);
            host.maps.insert(2, fields);
        }
        "http_call" => {
            let request = unpack(&arguments.bytes(2));
            let token = arguments.host().answer_call(&request);
            arguments.write(9, &token.to_le_bytes());
        }
        "call_foreign_function" if arguments.text(0) == "verify_signature" => {
            let good = signature::verify(&arguments.bytes(2));
            arguments.give(4, if good { &[0x08, 0x01] } else { &[] })?;
        }
        "call_foreign_function" => return Ok(NOT_FOUND),
        _ => return Ok(wasi(short, &mut arguments)),
    }
    Ok(OK)
}

/// Calls about header fields.
fn fields(name: &str, arguments: &mut Arguments<'_>) -> Result<Option<i32>, Error> {
    match name {
        "get_header_map_pairs" => {
            let kind = arguments.number(0);
            let fields = arguments.host().maps.entry(kind).or_default();
            let packed = pack(fields);
            arguments.give(1, &packed)?;
        }
        "set_header_map_pairs" => {
            let (kind, fields) = (arguments.number(0), unpack(&arguments.bytes(1)));
            arguments.host().maps.insert(kind, fields);
        }
        "get_header_map_value" => {
            let (kind, name) = (arguments.number(0), arguments.text(1));
            let value = arguments.host().values(kind, &name).join(&b","[..]);
            if value.is_empty() {
                return Ok(Some(NOT_FOUND));
            }
            arguments.give(3, &value)?;
        }
        "remove_header_map_value" => {
            let (kind, name) = (arguments.number(0), arguments.bytes(1));
            arguments.host().remove(kind, &name);
        }
        "replace_header_map_value" => {
            let (kind, name, value) = (arguments.number(0), arguments.bytes(1), arguments.bytes(3));
            let host = arguments.host();
            host.remove(kind, &name);
            host.add(kind, name, value);
        }
        "add_header_map_value" => {
            let (kind, name, value) = (arguments.number(0), arguments.bytes(1), arguments.bytes(3));
            arguments.host().add(kind, name, value);
        }
        _ => return Ok(None),
    }
    Ok(Some(OK))
}

/// Calls about buffers, properties, shared data, queues.
fn data(name: &str, arguments: &mut Arguments<'_>) -> Result<Option<i32>, Error> {
    match name {
        "get_buffer_bytes" => {
            let kind = arguments.number(0);
            let host = arguments.host();
            let bytes = match kind {
                CALL_RESPONSE_BODY => host.body.clone(),
                PLUGIN_CONFIGURATION => host.configuration.clone(),
                _ => panic!("buffer {kind} is not there"),
            };
            arguments.give(3, &bytes)?;
        }
        "get_property" if arguments.bytes(0) == b"source\0address" => {
            arguments.give(2, b"192.0.2.1:50000")?;
        }
        "get_shared_data" => {
            let key = arguments.bytes(0);
            let Some(value) = arguments.host().shared.get(&key).cloned() else {
                return Ok(Some(NOT_FOUND));
            };
            arguments.give(2, &value)?;
            arguments.write(4, &1_u32.to_le_bytes());
        }
        "set_shared_data" => {
            let (key, value, seen) = (arguments.bytes(0), arguments.bytes(2), arguments.number(4));
            let known = arguments.host().shared.contains_key(&key);
            if known && seen != 0 && seen != 1 {
                return Ok(Some(CAS_MISMATCH));
            }
            arguments.host().shared.insert(key, value);
        }
        "register_shared_queue" => arguments.write(2, &QUEUE.to_le_bytes()),
        "resolve_shared_queue" => arguments.write(4, &QUEUE.to_le_bytes()),
        "enqueue_shared_queue" => {
            let message = arguments.bytes(1);
            let host = arguments.host();
            host.queue.push_back(message);
            host.events.push_back(Event::Queue(QUEUE));
        }
        "dequeue_shared_queue" => {
            let Some(message) = arguments.host().queue.pop_front() else {
                return Ok(Some(7));
            };
            arguments.give(1, &message)?;
        }
        "get_property" => return Ok(Some(NOT_FOUND)),
        _ => return Ok(None),
    }
    Ok(Some(OK))
}

/// Calls of WASI: no environment, no randomness.
fn wasi(name: &str, arguments: &mut Arguments<'_>) -> i32 {
    match name {
        "environ_get" => {}
        "environ_sizes_get" => {
            arguments.write(0, &0_u32.to_le_bytes());
            arguments.write(1, &0_u32.to_le_bytes());
        }
        "random_get" => arguments.fill(0, 7),
        "clock_time_get" => arguments.write(2, &NOW.to_le_bytes()),
        _ => panic!("the module calls {name}: {:?}", arguments.host().log),
    }
    OK
}
