//! The JWKS of one issuer over time: when to fetch, and which keys count meanwhile.

use alloc::string::String;
use alloc::vec::Vec;

use super::CLOCK_SLACK;
use super::freshness::LIVES;
use super::keys_finding::KeysFinding;
use super::provider::{Described, Provider, ProviderFinding};
use crate::ambient::UnixSeconds;
use crate::denial::Outage;
use crate::jose::Jwks;
use crate::modes::KeySource;
use crate::observation::{KeyFacts, KeySetFacts};
use crate::step::Underway;
use crate::upstream::{CallOutcome, Reach, UpstreamCall};
use crate::url::HttpUrl;

/// The largest JWKS document, in octets.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

const TIMEOUT_SECONDS: u32 = 10;

/// Unknown key names cause at most one fetch in this time, whatever the traffic, in seconds.
const UNKNOWN_KEY_INTERVAL: u64 = 10;

/// After a failure, with keys at hand, in seconds.
const RETRY_INTERVAL: u64 = 30;

/// After a failure, with no keys at all, in seconds.
const EMPTY_RETRY_INTERVAL: u64 = 2;

/// How long lapsed keys count while the endpoint is down, in seconds.
const STALE_SECONDS: u64 = 24 * 60 * 60;

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct KeySet {
    provider: Provider,
    held: Option<Held>,
    last_attempt: Option<UnixSeconds>,
    /// When an unknown key name last caused a fetch.
    last_surprise: Option<UnixSeconds>,
    /// Whether that is why the last fetch was started.
    surprised: bool,
    failure: Option<Outage>,
    /// Whether the keys were asked for since they came; those of an idle engine just lapse.
    used: bool,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Jwks,
    etag: Option<String>,
    fetched: UnixSeconds,
    life_seconds: u64,
}

/// What the keys are good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeySetState {
    /// Inside their life.
    Fresh,
    /// Past it: a fetch comes first, and where that failed they still count.
    Lapsed,
    /// There are none that count.
    Absent,
}

impl KeySet {
    pub(crate) const fn new(source: KeySource) -> Self {
        Self {
            provider: Provider::new(source),
            held: None,
            last_attempt: None,
            last_surprise: None,
            surprised: false,
            failure: None,
            used: false,
        }
    }

    /// Returns what another engine begins with. A fetch that is under way here brings that one
    /// nothing, so unknown key names may cause one there at once.
    pub(crate) fn handed_over(&self) -> Self {
        Self {
            last_surprise: None,
            ..self.clone()
        }
    }

    pub(crate) fn state(&self, now: UnixSeconds) -> KeySetState {
        let Some(held) = &self.held else {
            return KeySetState::Absent;
        };
        let past = now.since(held.fetched.plus(held.life_seconds));
        // Of keys from the future nothing is known but that the clock was set back.
        let was_set_back = now.plus(CLOCK_SLACK) < held.fetched;
        if now < held.fetched.plus(held.life_seconds) && !was_set_back {
            KeySetState::Fresh
        } else if past < STALE_SECONDS {
            KeySetState::Lapsed
        } else {
            KeySetState::Absent
        }
    }

    /// Returns the keys that count.
    pub(crate) fn keys(&mut self, now: UnixSeconds) -> Option<&Jwks> {
        self.used = true;
        if self.state(now) == KeySetState::Absent {
            return None;
        }
        self.held.as_ref().map(|held| &held.keys)
    }

    /// Returns how they are.
    pub(crate) fn facts(&self) -> KeySetFacts {
        let held = self.held.as_ref();
        KeySetFacts {
            keys: held.map_or(0, |held| held.keys.len()),
            fetched: held.map(|held| held.fetched),
            life_seconds: held.map_or(0, |held| held.life_seconds),
            is_failing: self.failure.is_some(),
        }
    }

    /// Returns what each key is.
    pub(crate) fn describe(&self) -> Vec<KeyFacts> {
        let held = self.held.as_ref();
        held.map(|held| held.keys.describe().collect())
            .unwrap_or_default()
    }

    /// Writes the keys as a JWKS, where there are some.
    pub(crate) fn publish(&self) -> Option<String> {
        self.held.as_ref().map(|held| held.keys.publish())
    }

    /// Returns the failure of the last fetch, if it failed.
    pub(crate) const fn failure(&self) -> Option<Outage> {
        self.failure
    }

    /// Tells whether a request that the present keys cannot serve may cause a fetch.
    pub(crate) fn may_fetch(&self, now: UnixSeconds) -> bool {
        let (last, interval) = match (self.state(now), self.failure) {
            // Keys rotate at any time, so a fetch of another cause does not count.
            (KeySetState::Fresh, _) => (self.last_surprise, UNKNOWN_KEY_INTERVAL),
            (KeySetState::Lapsed | KeySetState::Absent, None) => return true,
            (KeySetState::Lapsed, Some(_)) => (self.last_attempt, RETRY_INTERVAL),
            (KeySetState::Absent, Some(_)) => (self.last_attempt, EMPTY_RETRY_INTERVAL),
        };
        // The clocks of two threads may differ a little; one that was set back must not hold on.
        last.is_none_or(|last| now.since(last) >= interval || last.since(now) > CLOCK_SLACK)
    }

    /// Returns when the next fetch in the background is due.
    pub(crate) fn next_refresh(&self) -> Option<UnixSeconds> {
        let last = match (self.last_attempt, self.failure) {
            (None, _) => return Some(UnixSeconds(0)),
            (Some(last), Some(_)) if self.held.is_none() => return Some(last.plus(RETRY_INTERVAL)),
            (Some(last), _) => last,
        };
        let held = self.held.as_ref().filter(|_| self.used)?;
        let early = held.fetched.plus(early(held.life_seconds));
        Some(if self.failure.is_some() {
            early.max(last.plus(RETRY_INTERVAL))
        } else {
            early
        })
    }

    /// Notes that a request causes a fetch, and returns the call.
    pub(crate) fn start_fetch_for_request(&mut self, now: UnixSeconds) -> (Underway, UpstreamCall) {
        let surprised = self.state(now) == KeySetState::Fresh;
        if surprised {
            self.last_surprise = Some(now);
        }
        let fetch = self.start_fetch(now);
        self.surprised = surprised;
        fetch
    }

    /// Notes that a fetch begins, and returns the call.
    pub(crate) fn start_fetch(&mut self, now: UnixSeconds) -> (Underway, UpstreamCall) {
        self.last_attempt = Some(now);
        self.surprised = false;
        match self.provider.next_document(now) {
            Some(url) => (Underway::Discovery, get(url, Vec::new())),
            None => (Underway::Jwks, self.keys_call()),
        }
    }

    /// Takes what the discovery document said, and returns the call for the keys. Without a
    /// document an earlier one will do.
    pub(crate) fn finish_discovery(
        &mut self,
        finding: ProviderFinding,
        at: UnixSeconds,
    ) -> Option<UpstreamCall> {
        let outage = self.provider.finish(finding, at);
        if self.provider.jwks_uri().is_some() {
            return Some(self.keys_call());
        }
        self.failure = Some(outage.unwrap_or(Outage::Garbage));
        None
    }

    /// Condenses the outcome of a call for the discovery document.
    pub(crate) fn condense_document(&self, outcome: CallOutcome) -> ProviderFinding {
        self.provider.condense(outcome)
    }

    /// Returns what the discovery document said.
    pub(crate) const fn described(&self) -> Option<&Described> {
        self.provider.described()
    }

    /// Returns the issuer that the discovery document named.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.provider.issuer()
    }

    fn keys_call(&self) -> UpstreamCall {
        let mut headers = Vec::new();
        if let Some(etag) = self.etag() {
            headers.push(("if-none-match", etag.into()));
        }
        let source = self.provider.source_url();
        get(self.provider.jwks_uri().unwrap_or(source), headers)
    }

    /// Condenses the outcome of a fetch.
    pub(crate) fn condense(&self, outcome: CallOutcome, now: UnixSeconds) -> KeysFinding {
        KeysFinding::of(outcome, self.etag(), now)
    }

    /// Tells whether what another engine found at `at` will do in place of the fetch that was
    /// started last. Who `waited` for it takes what its own fetch would have brought.
    pub(crate) fn accepts(
        &self,
        finding: &KeysFinding,
        at: UnixSeconds,
        waited: bool,
        now: UnixSeconds,
    ) -> bool {
        let newer = self.held.as_ref().is_none_or(|held| held.fetched <= at);
        let fresh = |life: u64| {
            let enough = if self.surprised {
                UNKNOWN_KEY_INTERVAL
            } else {
                early(life)
            };
            LIVES.contains(&life) && (waited || now.since(at) < enough)
        };
        let usable = match finding {
            KeysFinding::Document { body, life, .. } => fresh(*life) && Jwks::parse(body).is_some(),
            KeysFinding::Unchanged { etag, life } => {
                let same = etag.is_some() && etag.as_deref() == self.etag();
                let held = self.held.as_ref();
                let life = life.or_else(|| held.map(|held| held.life_seconds));
                same && life.is_some_and(fresh)
            }
            KeysFinding::Unavailable(_) => waited,
        };
        newer && usable && at <= now.plus(CLOCK_SLACK)
    }

    /// Takes what was found at `at`; returns the new keys when they replaced the old ones.
    pub(crate) fn finish_fetch(&mut self, finding: KeysFinding, at: UnixSeconds) -> Option<&Jwks> {
        self.failure = None;
        match finding {
            KeysFinding::Document { body, etag, life } => match Jwks::parse(&body) {
                Some(keys) => {
                    self.used = false;
                    let held = Held {
                        keys,
                        etag,
                        fetched: at,
                        life_seconds: life,
                    };
                    return Some(&self.held.insert(held).keys);
                }
                None => self.failure = Some(Outage::Garbage),
            },
            KeysFinding::Unchanged { life, .. } => self.extend(life, at),
            KeysFinding::Unavailable(outage) => self.failure = Some(outage),
        }
        None
    }

    fn extend(&mut self, life: Option<u64>, at: UnixSeconds) {
        match &mut self.held {
            Some(held) => {
                held.fetched = at;
                // What a 304 does not say stays as it was (RFC 9111 §4.3.4).
                held.life_seconds = life.unwrap_or(held.life_seconds);
                self.used = false;
            }
            // Nothing was asked conditionally, so this is no answer.
            None => self.failure = Some(Outage::Status(304)),
        }
    }

    fn etag(&self) -> Option<&str> {
        self.held.as_ref().and_then(|held| held.etag.as_deref())
    }
}

fn get(url: &HttpUrl, mut headers: Vec<(&'static str, Vec<u8>)>) -> UpstreamCall {
    let accepted = b"application/json, application/jwk-set+json".to_vec();
    headers.insert(0, ("accept", accepted));
    UpstreamCall {
        url: url.clone(),
        method: "GET",
        headers,
        body: Vec::new(),
        timeout_seconds: TIMEOUT_SECONDS,
        max_response_bytes: MAX_DOCUMENT_BYTES,
        reach: Reach::Anywhere,
    }
}

/// Returns how old keys of this life are refreshed: a tenth of it before it ends, so that no
/// request waits.
const fn early(life_seconds: u64) -> u64 {
    life_seconds - life_seconds / 10
}
