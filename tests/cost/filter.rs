//! The built filter in an interpreter, driven as Envoy drives it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use wasmi::{
    CompilationMode, Config, CustomFuelCosts, Engine, ExternType, Instance, Linker, Module, Store,
    Val,
};

use crate::host::{Event, Fields, Host};
use crate::hostcalls;

/// The id of the root context.
const ROOT: i32 = 1;

/// Kinds of header maps.
const REQUEST: usize = 0;
const RESPONSE: usize = 2;
const CALL_RESPONSE: usize = 6;

/// More instructions than any test takes; the interpreter counts down.
const BUDGET: u64 = 1 << 40;

/// The built filter, translated once for all that run.
static MODULE: LazyLock<(Engine, Module)> = LazyLock::new(load);

/// What one request took.
#[derive(Debug)]
pub(crate) struct Counts {
    /// The status of the answer: 200 when the request was let through.
    pub(crate) status: usize,
    /// Host calls by name.
    pub(crate) hostcalls: Vec<(String, usize)>,
    /// How often the host had the module allocate memory.
    pub(crate) allocations: usize,
    /// Instructions of WebAssembly by callback, in order; copies of memory count by their length.
    pub(crate) callbacks: Vec<(&'static str, u64)>,
}

impl Counts {
    /// Returns the instructions of all callbacks.
    pub(crate) fn instructions(&self) -> u64 {
        self.callbacks.iter().map(|(_, taken)| taken).sum()
    }
}

/// A running filter.
pub(crate) struct Filter {
    store: Store<Host>,
    instance: Instance,
    next_context: i32,
    callbacks: Vec<(&'static str, u64)>,
}

impl Filter {
    /// Starts it with these settings; `jwks` is what the authorization server will publish.
    pub(crate) fn start(settings: &Value, jwks: Value) -> Self {
        let mut filter = Self::load(Host {
            configuration: settings.to_string().into_bytes(),
            jwks,
            ..Host::default()
        });
        filter.configure();
        filter
    }

    /// Loads it and gives it no settings.
    pub(crate) fn unconfigured() -> Self {
        let mut filter = Self::load(Host::default());
        filter.create_root();
        filter
    }

    fn load(host: Host) -> Self {
        let (engine, module) = &*MODULE;
        let mut store = Store::new(engine, host);
        store.set_fuel(BUDGET).unwrap();
        let instance = link(engine, module)
            .instantiate_and_start(&mut store, module)
            .unwrap();
        Self {
            store,
            instance,
            next_context: ROOT + 1,
            callbacks: Vec::new(),
        }
    }

    fn create_root(&mut self) {
        self.call("_initialize", &[]);
        self.call("proxy_on_context_create", &[ROOT, 0]);
    }

    fn configure(&mut self) {
        self.create_root();
        self.call("proxy_on_vm_start", &[ROOT, 0]);
        let size = i32::try_from(self.store.data().configuration.len()).unwrap();
        let started = self.call("proxy_on_configure", &[ROOT, size]);
        assert_eq!(started, Some(1), "{:?}", self.store.data().log);
        self.call("proxy_on_tick", &[ROOT]);
        self.do_events();
    }

    /// Sends a request with a body and lets the protected resource answer with 200 and `response`;
    /// counts from the creation of its context to the end.
    pub(crate) fn request(&mut self, request: &Fields, response: &Fields) -> Counts {
        let context = self.next_context;
        self.next_context += 1;
        self.callbacks.clear();
        let host = self.store.data_mut();
        host.calls.clear();
        host.allocations = 0;
        host.answered = None;
        self.call("proxy_on_context_create", &[context, ROOT]);
        self.headers("proxy_on_request_headers", context, REQUEST, request);
        self.do_events();
        if self.store.data().answered.is_none() {
            self.body("proxy_on_request_body", context, 104);
            self.headers("proxy_on_response_headers", context, RESPONSE, response);
        } else {
            // Envoy shows the answer of the filter to the filter as well.
            let own = self.store.data().maps.get(&RESPONSE).cloned();
            let own = own.unwrap();
            self.headers("proxy_on_response_headers", context, RESPONSE, &own);
        }
        self.body("proxy_on_response_body", context, 76);
        for end in ["proxy_on_done", "proxy_on_log", "proxy_on_delete"] {
            self.call(end, &[context]);
        }
        let host = self.store.data();
        Counts {
            status: host.answered.unwrap_or(200),
            hostcalls: host.calls.clone().into_iter().collect(),
            allocations: host.allocations,
            callbacks: self.callbacks.clone(),
        }
    }

    /// Returns a field of the last response as the client sees it.
    pub(crate) fn response_field(&self, name: &str) -> Option<String> {
        let values = self.store.data().values(RESPONSE, name);
        let value = values.first().map(|value| String::from_utf8_lossy(value));
        value.map(Into::into)
    }

    /// Tells whether a metric with `word` in its name was counted.
    pub(crate) fn counted(&self, word: &str) -> bool {
        let mut metrics = self.store.data().metrics.iter();
        metrics.any(|metric| metric.contains(word))
    }

    fn headers(&mut self, callback: &'static str, context: i32, kind: usize, fields: &Fields) {
        self.store.data_mut().maps.insert(kind, fields.clone());
        let count = i32::try_from(fields.len()).unwrap();
        self.call(callback, &[context, count, 0]);
    }

    /// Shows a body as Envoy does: what has come, then the end without more.
    fn body(&mut self, callback: &'static str, context: i32, size: i32) {
        self.call(callback, &[context, size, 0]);
        self.call(callback, &[context, 0, 1]);
    }

    fn do_events(&mut self) {
        while let Some(event) = self.store.data_mut().events.pop_front() {
            match event {
                Event::Queue(id) => {
                    self.call("proxy_on_queue_ready", &[ROOT, id.cast_signed()]);
                }
                Event::Response {
                    token,
                    fields,
                    body,
                } => {
                    let [headers, size] =
                        [fields.len(), body.len()].map(|count| i32::try_from(count).unwrap());
                    let host = self.store.data_mut();
                    host.maps.insert(CALL_RESPONSE, fields);
                    host.body = body;
                    let arguments = [ROOT, token.cast_signed(), headers, size, 0];
                    self.call("proxy_on_http_call_response", &arguments);
                }
            }
        }
    }

    /// Calls an export that returns a number or nothing; one that is absent is not called, as by
    /// Envoy.
    fn call(&mut self, name: &'static str, arguments: &[i32]) -> Option<i32> {
        let function = self.instance.get_func(&self.store, name)?;
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let fuel = self.store.get_fuel().unwrap();
        let done = function.call(&mut self.store, &arguments, &mut results);
        done.unwrap_or_else(|error| panic!("{name}: {error}: {:?}", self.store.data().log));
        let taken = fuel - self.store.get_fuel().unwrap();
        self.callbacks.push((name, taken));
        results.first().and_then(Val::i32)
    }
}

/// Gives the module every function that it imports.
fn link(engine: &Engine, module: &Module) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ExternType::Func(shape) = import.ty() else {
            panic!("{} is not a function", import.name());
        };
        let name = import.name().to_owned();
        linker
            .func_new(
                import.module(),
                import.name(),
                shape.clone(),
                move |caller, arguments, results| {
                    let status = hostcalls::call(caller, &name, arguments)?;
                    if let Some(result) = results.first_mut() {
                        *result = Val::I32(status);
                    }
                    Ok(())
                },
            )
            .unwrap();
    }
    linker
}

/// Reads the module.
fn load() -> (Engine, Module) {
    let mut config = Config::default();
    // Translation is the interpreter's work, not the filter's.
    let costs = CustomFuelCosts {
        bytes_copied_per_fuel: 16,
        fuel_per_bytes_translated: 0,
        fuel_per_bytes_validated: 0,
    };
    config.consume_fuel(true).fuel_cost(costs);
    config.compilation_mode(CompilationMode::Lazy);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, std::fs::read(built()).unwrap()).unwrap();
    (engine, module)
}

/// Finds the filter; its absence is a failure.
fn built() -> PathBuf {
    if let Some(path) = std::env::var_os("PORTCULLIS_WASM") {
        return path.into();
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(own, PathBuf::from);
    target.join("wasm32-wasip1/release/portcullis_filter.wasm")
}
