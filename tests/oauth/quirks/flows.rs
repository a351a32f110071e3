//! The flows of one client: signing in, refreshing, refreshing in parallel, revoking.

use portcullis_tests::oauth_flow::{Attempt, Browser, Client, Site, Tokens};
use portcullis_tests::openid_provider::{
    Fault, OpenIdProvider, REVOCATION_PATH, SUBJECT, TOKEN_PATH,
};
use portcullis_tests::{EchoResource, Gateway, Kind, Response, free_address};
use serde_json::json;

use super::row::Row;
use crate::trial::at_once;

/// How many requests come at the same time.
const CROWD: usize = 8;

/// What comes of the flows at a provider without a quirk.
pub(super) const WELL: Expect = Expect {
    sign_in: Outcome::Granted,
    refresh: Outcome::Granted,
    parallel_refresh: Outcome::Granted,
    revocation: Revocation::Passed,
};

/// What must come of the flows.
pub(super) struct Expect {
    pub(super) sign_in: Outcome,
    pub(super) refresh: Outcome,
    /// The answer to each of [`CROWD`] requests with one token, for which the provider is asked
    /// once.
    pub(super) parallel_refresh: Outcome,
    pub(super) revocation: Revocation,
}

/// What a client is told at the token endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// Tokens that are good at the protected resource.
    Granted,
    /// `invalid_grant`: it must sign in again.
    Refused,
    /// 503, and tokens when it tries again after the fault.
    Unavailable,
    /// 503, and nothing helps but the operator.
    Impossible,
    /// There is nothing to begin the flow with.
    NoToken,
}

/// What comes of a revocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Revocation {
    /// The provider is told, and the refresh token good for nothing.
    Passed,
    /// 503, and the provider is told when the client tries again after the fault.
    Later,
    /// The provider has no place to tell it, and the refresh token stays good.
    Unheard,
    /// There is no refresh token, and an access token is not revoked.
    NothingToRevoke,
}

/// A gateway with its provider and the protected resource behind it.
pub(super) struct World {
    provider: OpenIdProvider,
    resource: EchoResource,
    gateway: Gateway,
}

impl World {
    pub(super) fn start(kind: Kind, row: &Row) -> Self {
        let provider = OpenIdProvider::start(row.quirks.clone());
        let resource = EchoResource::start();
        let address = free_address();
        let settings = provider.settings(&Site::origin_at(address));
        let settings = row
            .settings
            .iter()
            .fold(settings, |settings, (name, value)| {
                settings.with(name, *value)
            });
        let gateway = Gateway::start(kind, &settings.listening_on(address), &resource.url());
        Self {
            provider,
            resource,
            gateway,
        }
    }

    /// Goes through the flows with a new client.
    pub(super) fn run(&self, row: &Row) {
        self.provider.adopt(row.quirks.clone());
        let site = Site::of(&self.gateway);
        let client = site.register("http://127.0.0.1:7/callback");
        let attempt = site.attempt(&client);
        let code = site.code(&mut Browser::default(), &attempt);
        let flows = Flows {
            world: self,
            fault: row.fault,
            site,
            client,
        };
        let tokens = flows.sign_in(&attempt, &code, row.expect.sign_in);
        let tokens = flows.refresh(tokens, row.expect.refresh);
        let tokens = flows.refresh_at_once(tokens, row.expect.parallel_refresh);
        flows.revoke(&tokens, row.expect.revocation);
        self.check_requests();
    }

    /// Checks all that the provider was asked.
    fn check_requests(&self) {
        for request in self.provider.all_requests() {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let sent = format!("{}&{body}", request.target);
            assert!(!sent.contains("resource="), "{sent}");
            // What is secret is in no URL, where logs keep it.
            assert!(!request.target.contains("secret"), "{sent}");
        }
    }
}

/// One client on its way.
struct Flows<'a> {
    world: &'a World,
    fault: Option<(&'static str, Fault)>,
    site: Site<'a>,
    client: Client,
}

impl Flows<'_> {
    fn sign_in(&self, attempt: &Attempt, code: &str, wanted: Outcome) -> Tokens {
        let none = Tokens {
            access: String::new(),
            refresh: String::new(),
        };
        self.flow(none, wanted, || vec![self.site.redeem(attempt, code)])
    }

    fn refresh(&self, tokens: Tokens, wanted: Outcome) -> Tokens {
        let token = tokens.refresh.clone();
        self.flow(tokens, wanted, || {
            vec![self.site.refresh(&self.client, &token)]
        })
    }

    fn refresh_at_once(&self, tokens: Tokens, wanted: Outcome) -> Tokens {
        let token = tokens.refresh.clone();
        self.flow(tokens, wanted, || {
            at_once(CROWD, |_| self.site.refresh(&self.client, &token))
        })
    }

    /// Sends requests for tokens, and returns the client's tokens afterwards.
    fn flow(&self, tokens: Tokens, wanted: Outcome, ask: impl Fn() -> Vec<Response>) -> Tokens {
        if wanted == Outcome::NoToken {
            assert_eq!(tokens.refresh, "");
            return tokens;
        }
        let provider = &self.world.provider;
        let before = provider.count(TOKEN_PATH);
        let told = self.during_the_fault(&ask);
        for answer in &told {
            check(answer, wanted);
        }
        match wanted {
            Outcome::Granted => {
                let asked = provider.count(TOKEN_PATH) - before;
                assert!(asked <= 1, "the provider was asked {asked} times");
                let granted = told.iter().map(|answer| self.tokens(answer));
                granted.collect::<Vec<_>>().pop().unwrap()
            }
            Outcome::Unavailable => {
                let told = ask().pop().unwrap();
                check(&told, Outcome::Granted);
                self.tokens(&told)
            }
            Outcome::Refused | Outcome::Impossible | Outcome::NoToken => tokens,
        }
    }

    /// Asks while the provider is out of order, and sets it right.
    fn during_the_fault<T>(&self, ask: impl Fn() -> T) -> T {
        let Some((path, fault)) = self.fault else {
            return ask();
        };
        self.world.provider.fail(path, Some(fault));
        let told = ask();
        self.world.provider.fail(path, None);
        told
    }

    /// Reads the tokens, which are good, and are nothing of the provider's.
    fn tokens(&self, answer: &Response) -> Tokens {
        let told = answer.text();
        let given = self.world.provider.given();
        assert!(!given.iter().any(|given| told.contains(given)), "{told}");
        assert_eq!(answer.json()["scope"], "mcp:tools");
        let tokens = Tokens::read(answer);
        drop(self.world.resource.take());
        let answer = self.site.call(&tokens.access);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = self.world.resource.take();
        let subject = seen[0].value("x-mcp-auth-subject");
        assert_eq!(subject.as_deref(), Some(SUBJECT));
        assert_eq!(seen[0].value("authorization"), None);
        tokens
    }

    fn revoke(&self, tokens: &Tokens, wanted: Revocation) {
        let before = self.world.provider.count(REVOCATION_PATH);
        let revoke = |token: &str| {
            let fields = [("token", token), ("client_id", &self.client.id)];
            let answer = self.site.post("/revoke", &fields);
            (answer.status, answer.json()["error"].clone())
        };
        let done = (200, json!(null));
        let refresh = || self.site.refresh(&self.client, &tokens.refresh);
        match wanted {
            Revocation::Passed => {
                assert_eq!(revoke(&tokens.refresh), done);
                check(&refresh(), Outcome::Refused);
            }
            Revocation::Later => {
                let told = self.during_the_fault(|| revoke(&tokens.refresh));
                assert_eq!(told, (503, json!("temporarily_unavailable")));
                assert_eq!(revoke(&tokens.refresh), done);
                check(&refresh(), Outcome::Refused);
            }
            Revocation::Unheard => {
                assert_eq!(revoke(&tokens.refresh), done);
                check(&refresh(), Outcome::Granted);
            }
            Revocation::NothingToRevoke if tokens.access.is_empty() => {}
            Revocation::NothingToRevoke => {
                let refused = (400, json!("unsupported_token_type"));
                assert_eq!(revoke(&tokens.access), refused);
            }
        }
        let told = self.world.provider.count(REVOCATION_PATH) - before;
        let expected = match wanted {
            Revocation::Passed => 1,
            Revocation::Later => 2,
            Revocation::Unheard | Revocation::NothingToRevoke => 0,
        };
        assert_eq!(told, expected);
    }
}

#[track_caller]
fn check(answer: &Response, wanted: Outcome) {
    let (status, error) = match wanted {
        Outcome::Granted => (200, json!(null)),
        Outcome::Refused => (400, json!("invalid_grant")),
        Outcome::Unavailable | Outcome::Impossible => (503, json!("temporarily_unavailable")),
        Outcome::NoToken => panic!("there is nothing to ask with"),
    };
    let told = (answer.status, answer.json()["error"].clone());
    assert_eq!(told, (status, error), "{}", answer.text());
    assert_eq!(answer.value("cache-control"), "no-store");
    assert_eq!(answer.value("retry-after").is_empty(), status != 503);
}
