//! Modes `jwt` and `oidc`: access tokens, checked with the keys of a JWKS.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::{Awaiting, Desk, Judgement, Verdict, fetch};
use crate::ambient::UnixSeconds;
use crate::cache::{
    Described, ExpiringMap, KeySet, KeySetState, KeysFinding, Lookups, Pool, ProviderFinding,
};
use crate::config::ModeName;
use crate::credentials::Authorization;
use crate::denial::{Denial, Outage};
use crate::digest::{Fingerprint, FingerprintKey};
use crate::identity::{OwnField, Principal};
use crate::jose::{
    Algorithm, CheckedSignature, Jwk, NoKey, SignatureCheck, TokenPolicy, UnverifiedToken,
    VerifiedClaims,
};
use crate::observation::CacheFacts;
use crate::request::RequestHead;
use crate::resource::ProtectedResource;
use crate::scope::has_all;
use crate::upstream::UpstreamCall;
use crate::url::HttpUrl;

/// Settings of modes `jwt` and `oidc`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JwtMode {
    /// Where the keys are.
    pub keys: KeySource,
    /// What claims must say.
    pub policy: TokenPolicy,
    /// Accepted algorithms.
    pub algorithms: Vec<Algorithm>,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// There.
    Jwks(HttpUrl),
    /// At the `jwks_uri` of this discovery document (OpenID Connect Discovery 1.0 §4), which names
    /// the issuer too.
    Discovery(HttpUrl),
}

impl KeySource {
    /// Returns the URL of the first call.
    #[must_use]
    pub const fn url(&self) -> &HttpUrl {
        match self {
            Self::Jwks(url) | Self::Discovery(url) => url,
        }
    }

    /// Returns where the keys are by a discovery document that the first call brought, `None`
    /// where the engine would not take the document: for hosts that say what is wrong with one.
    #[must_use]
    pub fn keys_by(&self, document: &[u8]) -> Option<HttpUrl> {
        let described = Described::read(self.url(), document)?;
        Some(described.jwks_uri().clone())
    }
}

/// Mode `jwt` or `oidc` with its caches.
#[derive(Debug)]
pub(crate) struct JwtAuthenticator {
    name: ModeName,
    mode: JwtMode,
    required_scopes: Vec<String>,
    keys: KeySet,
    key: FingerprintKey,
    validations: ExpiringMap<Fingerprint, Validated>,
    lookups: Lookups,
    /// What many principals have in common.
    pool: Pool,
}

#[derive(Debug)]
struct Validated {
    principal: Arc<Principal>,
    jwk: Arc<Jwk>,
}

/// A token that waits for the JWKS.
pub(crate) struct AwaitJwks {
    token: Vec<u8>,
}

impl fmt::Debug for AwaitJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitJwks(…)")
    }
}

/// Whether a request may still wait for a fetch.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Chance {
    First,
    Last,
}

impl JwtAuthenticator {
    pub(crate) fn new(
        name: ModeName,
        mode: JwtMode,
        resource: Option<&ProtectedResource>,
        key: FingerprintKey,
        cache_entries: usize,
    ) -> Self {
        let keys = KeySet::new(mode.keys.clone());
        let required_scopes = resource.map(|resource| resource.scopes().to_vec());
        Self {
            name,
            mode,
            required_scopes: required_scopes.unwrap_or_default(),
            keys,
            key,
            validations: ExpiringMap::new(cache_entries),
            lookups: Lookups::default(),
            pool: Pool::default(),
        }
    }

    pub(crate) fn authenticate<'a>(
        &mut self,
        head: &RequestHead<'a>,
        desk: &mut Desk<'_>,
    ) -> Judgement<'a> {
        let denial = match Authorization::read(head) {
            Ok(Authorization::Bearer(token)) => return self.validate(token, Chance::First, desk),
            Ok(Authorization::Absent) => Denial::MissingCredentials,
            Ok(Authorization::Basic(_) | Authorization::OtherScheme) => Denial::UnsupportedScheme,
            Err(denial) => denial,
        };
        Verdict::Deny(denial).into()
    }

    /// Goes on with a token after a fetch, whatever came of it.
    pub(crate) fn resume(&mut self, waiting: &AwaitJwks, desk: &mut Desk<'_>) -> Verdict {
        match self.validate(&waiting.token, Chance::Last, desk) {
            Judgement::Verdict(verdict) => verdict,
            Judgement::Unchecked(check) => self.admit(check.run(desk.verifier), desk.now).into(),
        }
    }

    fn validate<'a>(
        &mut self,
        token: &'a [u8],
        chance: Chance,
        desk: &mut Desk<'_>,
    ) -> Judgement<'a> {
        let fingerprint = self.key.fingerprint(token);
        let settled = chance == Chance::Last || self.keys_are_settled(desk.now);
        if settled
            && self.keys.keys(desk.now).is_some()
            && let Some(validated) = self.validations.get(&fingerprint, desk.now)
        {
            // A request that waited was counted when it came.
            if chance == Chance::First {
                self.lookups.note(true);
            }
            return Verdict::Admit(Arc::clone(&validated.principal)).into();
        }
        if chance == Chance::First {
            self.lookups.note(false);
        }
        let parsed = match UnverifiedToken::parse(token, &self.mode.algorithms) {
            Ok(parsed) => parsed,
            Err(denial) => return Verdict::Deny(denial).into(),
        };
        let found = match self.keys.keys(desk.now) {
            Some(keys) => keys.find(parsed.kid.as_deref(), parsed.algorithm),
            None => Err(NoKey::Unknown),
        };
        let unchecked = |keys| {
            Judgement::Unchecked(SignatureCheck {
                fingerprint,
                token: parsed,
                keys,
            })
        };
        let verdict = match found {
            Ok(keys) if settled => return unchecked(keys),
            Err(NoKey::OtherAlgorithm) if settled => Verdict::Deny(Denial::UnacceptableAlgorithm),
            Err(NoKey::Ambiguous) if settled => Verdict::Deny(Denial::UnknownKey),
            Ok(_) | Err(_)
                if chance == Chance::First && fetch(&mut self.keys, desk.flights, desk.now) =>
            {
                Verdict::Await(Awaiting::Jwks(AwaitJwks {
                    token: token.to_vec(),
                }))
            }
            Ok(keys) => return unchecked(keys),
            Err(_) => Verdict::Deny(self.no_key(desk.now)),
        };
        verdict.into()
    }

    /// Tells whether the keys count without another fetch: inside their life, or past it with the
    /// endpoint known to be down.
    fn keys_are_settled(&self, now: UnixSeconds) -> bool {
        match self.keys.state(now) {
            KeySetState::Fresh => true,
            KeySetState::Lapsed => self.keys.failure().is_some(),
            KeySetState::Absent => false,
        }
    }

    /// Admits the owner of a token whose signature has been checked, and remembers the token.
    pub(crate) fn admit(
        &mut self,
        checked: CheckedSignature<'_>,
        now: UnixSeconds,
    ) -> Result<Arc<Principal>, Denial> {
        let fingerprint = checked.fingerprint();
        let signing_input = checked.signing_input();
        let (claims, jwk) = checked.claims(&self.mode.policy, now)?;
        if !has_all(claims.scope.as_deref(), &self.required_scopes) {
            return Err(Denial::InsufficientScope);
        }
        // The key may have left the set since the check began.
        let keys = self.keys.keys(now);
        if !keys.is_some_and(|keys| keys.contains(&jwk)) {
            return Err(self.no_key(now));
        }
        let principal = principal(self.name, &claims, signing_input, &mut self.pool);
        let principal = principal.ok_or(Denial::MalformedClaims)?;
        let principal = Arc::new(principal);
        let validated = Validated {
            principal: Arc::clone(&principal),
            jwk,
        };
        self.validations
            .insert(fingerprint, validated, now, claims.accepted_until);
        Ok(principal)
    }

    /// Why a token has no key. Where the last fetch failed, the key may well exist, so the client
    /// is not told to throw its token away.
    fn no_key(&self, now: UnixSeconds) -> Denial {
        match (self.keys.failure(), self.keys.state(now)) {
            (Some(outage), _) => Denial::AuthorizationServerUnavailable(outage),
            (None, KeySetState::Absent) => {
                Denial::AuthorizationServerUnavailable(Outage::WaitedTooLong)
            }
            (None, KeySetState::Fresh | KeySetState::Lapsed) => Denial::UnknownKey,
        }
    }

    /// Returns what is remembered.
    pub(crate) fn cache(&self) -> CacheFacts {
        self.lookups.facts(&self.validations)
    }

    /// Returns the keys over time.
    pub(crate) const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Returns the keys over time.
    pub(crate) const fn keys_mut(&mut self) -> &mut KeySet {
        &mut self.keys
    }

    /// Takes what the discovery document said, and returns the call for the keys that follows.
    pub(crate) fn finish_discovery(
        &mut self,
        finding: ProviderFinding,
        at: UnixSeconds,
    ) -> Option<UpstreamCall> {
        let call = self.keys.finish_discovery(finding, at);
        self.heed_issuer();
        call
    }

    /// Accepts tokens of the issuer that the discovery document names, and of no other.
    fn heed_issuer(&mut self) {
        if let Some(issuer) = self.keys.issuer()
            && self.mode.policy.issuers != [issuer]
        {
            // Whoever was let in under another issuer is checked again.
            self.mode.policy.issuers = [issuer.to_owned()].into();
            self.validations.retain(|_| false);
        }
    }

    /// Takes over the keys of the same issuer, and where there is `room` for them the tokens that
    /// were accepted by the same rules.
    pub(crate) fn succeed(&mut self, earlier: &mut Self, room: bool) {
        if self.mode.keys != earlier.mode.keys {
            return;
        }
        // Copied, as a check that is under way there has to find its key again.
        self.keys = earlier.keys.handed_over();
        self.heed_issuer();
        let same_rules = self.name == earlier.name
            && self.mode == earlier.mode
            && self.required_scopes == earlier.required_scopes;
        if same_rules && room {
            mem::swap(&mut self.key, &mut earlier.key);
            mem::swap(&mut self.validations, &mut earlier.validations);
            mem::swap(&mut self.lookups, &mut earlier.lookups);
        }
    }

    /// Returns the issuers whose tokens are accepted; none while they are not known.
    pub(crate) fn issuers(&self) -> &[String] {
        &self.mode.policy.issuers
    }

    /// Takes what a fetch found at `at`. Tokens of keys that left the set are forgotten.
    pub(crate) fn finish_fetch(&mut self, finding: KeysFinding, at: UnixSeconds) {
        if let Some(keys) = self.keys.finish_fetch(finding, at) {
            self.validations
                .retain(|validated| keys.contains(&validated.jwk));
        }
    }
}

/// Names the caller: the subject, else the client, as sessions and the protected resource know it.
///
/// Nothing tells the callers of nameless tokens apart, so sessions are bound to what is signed.
fn principal(
    mode: ModeName,
    claims: &VerifiedClaims,
    signing_input: &[u8],
    pool: &mut Pool,
) -> Option<Principal> {
    let given = |claim: &Option<String>| claim.clone().filter(|text| !text.is_empty());
    let (subject, client) = (given(&claims.subject), given(&claims.client_id));
    let name = subject
        .as_deref()
        .or(client.as_deref())
        .unwrap_or("unknown");
    let nameless = subject.is_none() && client.is_none();
    let parts = [
        octets(claims.issuer.as_ref()),
        octets(subject.as_ref()),
        octets(client.as_ref()),
        if nameless { signing_input } else { &[] },
    ];
    Principal::new(mode, name, &parts)?
        .with(OwnField::Subject, claims.subject.as_deref())?
        .with(OwnField::Client, claims.client_id.as_deref())?
        .with_common(claims.issuer.as_deref(), claims.scope.as_deref(), pool)
}

fn octets(claim: Option<&String>) -> &[u8] {
    claim.map(String::as_bytes).unwrap_or_default()
}
