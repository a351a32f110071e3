//! Both gateways in a mode, with a real provider and a client's own host before them, and a resource
//! behind them.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use portcullis_tests::oauth_flow::{Attempt, Site};
use portcullis_tests::{EchoResource, Gateway, Kind, Request, Response, Settings};
use serde_json::json;

use crate::install::{self, Mode};
use crate::programs::IdentityProvider;
use crate::publisher::Publisher;

/// The public origin of every gateway here: what ends TLS would stand in front of it.
pub(crate) const ORIGIN: &str = "https://gw.example";
/// The protected resource's public URL.
pub(crate) const RESOURCE: &str = "https://gw.example/mcp";
/// The scope that every token must have.
pub(crate) const SCOPE: &str = "mcp:tools";
/// The only site whose pages may ask.
pub(crate) const PAGE: &str = "https://inspector.example";
/// Where the clients of these tests get their codes.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:7/callback";
/// Both modes in which people sign in.
pub(crate) const BOTH: [Mode; 2] = [Mode::Oidc, Mode::OidcProxy];
/// The mode in which the gateway is the authorization server.
pub(crate) const PROXY: [Mode; 1] = [Mode::OidcProxy];

/// What gateways rely on, and the settings of those that do.
pub(crate) struct World {
    pub(crate) provider: IdentityProvider,
    pub(crate) publisher: Publisher,
    proxy: Settings,
}

/// One gateway in one mode.
pub(crate) struct Front {
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
    pub(crate) gateway: Gateway,
    pub(crate) resource: EchoResource,
    pub(crate) world: Arc<World>,
}

/// Checks a rule at both hosts, in each of these modes.
pub(crate) fn check(modes: &[Mode], rule: impl Fn(&Front)) {
    let _shared: Vec<_> = modes.iter().map(|mode| Shared::of(*mode)).collect();
    let _others = Others::now();
    for mode in modes {
        check_all(*mode, |fronts| {
            fronts.iter().for_each(|front| noted(front, &rule))
        });
    }
}

/// Checks a rule that takes both hosts of a mode.
pub(crate) fn check_all(mode: Mode, rule: impl FnOnce(&[Front])) {
    let shared = Shared::of(mode);
    // A test that fails leaves them as good as they were.
    let fronts = shared.fronts.lock();
    rule(&fronts.unwrap_or_else(PoisonError::into_inner));
}

fn noted(front: &Front, rule: impl Fn(&Front)) {
    let _note = Note(front.kind, front.mode);
    rule(front);
}

impl World {
    fn start() -> Self {
        let (provider, proxy) = install::oidc_proxy(ORIGIN);
        let publisher = Publisher::start();
        Self {
            proxy: publisher.trusted(proxy),
            provider,
            publisher,
        }
    }

    /// Starts one for a test that does without what others share.
    pub(crate) fn apart() -> (Self, Others) {
        (Self::start(), Others::now())
    }

    pub(crate) fn settings(&self, mode: Mode) -> Settings {
        self.settings_without_origins(mode)
            .with("ZSCALER_MCP_ALLOWED_ORIGINS", PAGE)
    }

    /// Returns settings that say nothing of sites whose pages may ask.
    pub(crate) fn settings_without_origins(&self, mode: Mode) -> Settings {
        match mode {
            Mode::Oidc => install::settings(mode, ORIGIN, &self.provider),
            Mode::OidcProxy => self.proxy.clone(),
        }
    }

    /// Returns an access token that is good at `site` in `mode`.
    pub(crate) fn token(&self, mode: Mode, site: &Site<'_>) -> String {
        match mode {
            Mode::Oidc => self.provider.token_for(RESOURCE, &[SCOPE]),
            Mode::OidcProxy => site.sign_in().1.access,
        }
    }
}

impl Front {
    fn start(world: &Arc<World>, mode: Mode, kind: Kind) -> Self {
        let resource = EchoResource::start();
        let settings = world.settings(mode);
        Self {
            kind,
            mode,
            gateway: Gateway::start(kind, &settings, &resource.url()),
            resource,
            world: Arc::clone(world),
        }
    }

    /// Returns the site as clients and browsers know it.
    pub(crate) fn site(&self) -> Site<'_> {
        site(&self.gateway)
    }

    pub(crate) fn token(&self) -> String {
        self.world.token(self.mode, &self.site())
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        let site = self.site();
        site.send(&site.request("GET", target))
    }

    /// Begins a request to the protected resource without a token.
    pub(crate) fn request(&self, method: &str) -> Request {
        self.site().request(method, "/mcp")
    }

    /// Begins a request to the protected resource with a token.
    pub(crate) fn request_by(&self, token: &str, method: &str) -> Request {
        bearer(self.request(method), token)
    }

    /// Registers a client with this redirect URI, or tries to.
    pub(crate) fn register(&self, redirect_uri: &str) -> Response {
        let metadata = json!({ "client_name": "Flow", "redirect_uris": [redirect_uri] });
        let request = self
            .site()
            .request("POST", "/register")
            .field("Content-Type", "application/json")
            .body(metadata.to_string());
        self.send(&request)
    }

    /// Begins a sign-in of a client that has just registered.
    pub(crate) fn attempt(&self) -> Attempt {
        let site = self.site();
        site.attempt(&site.register(REDIRECT))
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        self.gateway.send(request)
    }
}

/// Both hosts of a mode for all tests of this process: they end with the last test that knows
/// them, and one test at a time has them.
struct Shared {
    fronts: Mutex<Vec<Front>>,
    /// Lets the thread end that has started them.
    _starter: Sender<()>,
}

static KNOWN: Mutex<[Weak<Shared>; 2]> = Mutex::new([Weak::new(), Weak::new()]);

impl Shared {
    fn of(mode: Mode) -> Arc<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let place = &mut known[usize::from(mode == Mode::OidcProxy)];
        place.upgrade().unwrap_or_else(|| {
            let shared = Arc::new(Self::start(mode));
            *place = Arc::downgrade(&shared);
            shared
        })
    }

    fn start(mode: Mode) -> Self {
        let (give, take) = mpsc::channel();
        let (starter, end) = mpsc::channel::<()>();
        // Envoy ends with the thread that has started it, and a test's thread with the test.
        thread::spawn(move || {
            let world = Arc::new(World::start());
            let fronts = Kind::BOTH.map(|kind| Front::start(&world, mode, kind));
            // What it relies on ends with the fronts, and not when the process has gone already.
            drop(world);
            drop(give.send(Vec::from(fronts)));
            // There is nothing to receive but the end.
            while end.recv().is_ok() {}
        });
        Self {
            fronts: Mutex::new(take.recv().unwrap()),
            _starter: starter,
        }
    }
}

/// Keeps what other tests share for the next, while one does without it.
pub(crate) struct Others {
    _shared: [Option<Arc<Shared>>; 2],
}

impl Others {
    pub(crate) fn now() -> Self {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let _shared = known.each_ref().map(Weak::upgrade);
        Self { _shared }
    }
}

/// Says with a failure where it was.
struct Note(Kind, Mode);

impl Drop for Note {
    fn drop(&mut self) {
        if thread::panicking() {
            #[expect(clippy::print_stderr, reason = "it explains a failed test")]
            {
                eprintln!("--- {:?} in mode {}", self.0, self.1.name());
            }
        }
    }
}

/// Returns the site that a gateway is.
pub(crate) fn site(gateway: &Gateway) -> Site<'_> {
    Site::new(ORIGIN.to_owned(), |request| gateway.send(request))
}

/// Adds a token to a request.
pub(crate) fn bearer(request: Request, token: &str) -> Request {
    request.field("Authorization", format!("Bearer {token}"))
}

/// Returns the value of a field that the resource saw, by its echo.
pub(crate) fn saw(answer: &Response, name: &str) -> Option<String> {
    let echo = answer.json();
    let fields = echo["headers"].as_array()?;
    let field = fields.iter().find(|field| field[0] == name)?;
    Some(field[1].as_str()?.to_owned())
}

/// Returns the value of a parameter of a challenge; empty when absent.
pub(crate) fn parameter(answer: &Response, name: &str) -> String {
    let challenge = answer.value("www-authenticate");
    let lead = format!(" {name}=\"");
    let rest = challenge.split_once(&lead).map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split('"').next());
    value.unwrap_or_default().to_owned()
}

/// Checks that a request was answered by a challenge with this status and error; no error is empty.
#[track_caller]
pub(crate) fn challenged(answer: &Response, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let challenge = answer.value("www-authenticate");
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert_eq!(parameter(answer, "error"), error, "{challenge}");
}

/// Checks that the token endpoint refused with 400 and this error.
#[track_caller]
pub(crate) fn refused(answer: &Response, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
    assert_eq!(answer.value("cache-control"), "no-store");
}
