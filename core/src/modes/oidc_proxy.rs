//! Mode `oidcproxy`: access tokens of our own, which the authorization server gave to clients.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Desk, Verdict};
use crate::ambient::UnixSeconds;
use crate::cache::{Described, ExpiringMap, Lookups, Pool};
use crate::config::{ModeName, StateKeys};
use crate::credentials::Authorization;
use crate::denial::Denial;
use crate::digest::{Fingerprint, FingerprintKey};
use crate::identity::{OwnField, Principal};
use crate::oauth::{
    AccessToken, AuthorizationServer, Branding, ClientDocuments, DenyList, ProviderClient,
    RedirectPatterns, Sealed as _, written,
};
use crate::observation::CacheFacts;
use crate::request::RequestHead;
use crate::resource::ProtectedResource;
use crate::scope::has_all;
use crate::seed::Seed;
use crate::upstream::UpstreamCall;
use crate::url::HttpUrl;

/// Settings of mode `oidcproxy`.
#[derive(Clone, Debug)]
pub struct OidcProxyMode {
    /// The provider's discovery document.
    pub(crate) document: HttpUrl,
    /// The path that the provider sends browsers back to.
    pub(crate) redirect_path: String,
    pub(crate) client: ProviderClient,
    pub(crate) resource: ProtectedResource,
    /// Seals everything that is given away.
    pub(crate) state_keys: StateKeys,
    /// Which redirect URIs clients may register; absent, all that the rules allow.
    pub(crate) redirect_patterns: Option<RedirectPatterns>,
    /// Where another gateway with the same settings answers for the authorization server; absent,
    /// this one does.
    pub(crate) elsewhere: Option<HttpUrl>,
    /// Whose metadata documents are fetched.
    pub(crate) documents: ClientDocuments,
    pub(crate) denied: DenyList,
    pub(crate) access_token_seconds: u64,
    /// How long a sign-in lasts, however often it is refreshed.
    pub(crate) session_seconds: u64,
    pub(crate) branding: Branding,
}

impl OidcProxyMode {
    /// Returns the URL of the provider's discovery document.
    #[must_use]
    pub const fn document(&self) -> &HttpUrl {
        &self.document
    }

    /// Returns where another gateway answers for the authorization server, if one does.
    #[must_use]
    pub const fn elsewhere(&self) -> Option<&HttpUrl> {
        self.elsewhere.as_ref()
    }

    /// Makes a call that shows whether the provider knows the gateway as its client, and changes
    /// nothing: a refresh with a token that nobody has. `document` is the discovery document. `None`
    /// when it is not the provider's, or names no way to authenticate that there is here.
    #[must_use]
    pub fn introduction(&self, document: &[u8]) -> Option<UpstreamCall> {
        let described = Described::read(&self.document, document)?;
        self.client.refresh(&described, "portcullis-check")
    }

    /// Returns the paths of the authorization server, all of them: those that end in `*` stand for
    /// all that begin so.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        [
            "/register",
            "/authorize",
            "/consent",
            "/token",
            "/revoke",
            &self.redirect_path,
            "/.well-known/oauth-authorization-server*",
            "/.well-known/openid-configuration*",
        ]
        .map(String::from)
        .to_vec()
    }

    /// Returns a URL on each host that calls go to: the document's, and those that the provider is
    /// known to have besides.
    pub(crate) fn call_urls(&self) -> Vec<HttpUrl> {
        if self.elsewhere.is_some() {
            return Vec::new();
        }
        let others = self.client.profile.traits().hosts.iter();
        let others =
            others.filter_map(|host| HttpUrl::parse(&alloc::format!("https://{host}/")).ok());
        core::iter::once(self.document.clone())
            .chain(others)
            .chain(self.documents.urls())
            .collect()
    }
}

/// Mode `oidcproxy` with its caches.
#[derive(Debug)]
pub(crate) struct OidcProxyAuthenticator {
    pub(crate) server: AuthorizationServer,
    required_scopes: Vec<String>,
    key: FingerprintKey,
    validations: ExpiringMap<Fingerprint, Arc<Principal>>,
    lookups: Lookups,
    pool: Pool,
}

impl OidcProxyAuthenticator {
    pub(crate) fn new(mode: OidcProxyMode, seed: &Seed, cache_entries: usize) -> Self {
        Self {
            required_scopes: mode.resource.scopes().to_vec(),
            server: AuthorizationServer::new(mode, seed),
            key: seed.fingerprint_key(),
            validations: ExpiringMap::new(cache_entries),
            lookups: Lookups::default(),
            pool: Pool::default(),
        }
    }

    /// Tells whether people sign in here, rather than at another gateway.
    pub(crate) const fn signs_in(&self) -> bool {
        self.server.mode().elsewhere.is_none()
    }

    /// Returns what is remembered.
    pub(crate) fn cache(&self) -> CacheFacts {
        self.lookups.facts(&self.validations)
    }

    /// Takes over what is known of the same provider; tokens of our own cost no call.
    pub(crate) fn succeed(&mut self, earlier: &mut Self) {
        self.server.succeed(&mut earlier.server);
    }

    pub(crate) fn authenticate(&mut self, head: &RequestHead<'_>, desk: &Desk<'_>) -> Verdict {
        let token = match Authorization::read(head) {
            Ok(Authorization::Bearer(token)) => token,
            Ok(Authorization::Absent) => return Verdict::Deny(Denial::MissingCredentials),
            Ok(Authorization::Basic(_) | Authorization::OtherScheme) => {
                return Verdict::Deny(Denial::UnsupportedScheme);
            }
            Err(denial) => return Verdict::Deny(denial),
        };
        let fingerprint = self.key.fingerprint(token);
        let known = self.validations.get(&fingerprint, desk.now);
        self.lookups.note(known.is_some());
        if let Some(principal) = known {
            return Verdict::Admit(Arc::clone(principal));
        }
        match self.open(token, desk.now) {
            Ok((principal, until)) => {
                let principal = Arc::new(principal);
                let remembered = Arc::clone(&principal);
                self.validations
                    .insert(fingerprint, remembered, desk.now, until);
                Verdict::Admit(principal)
            }
            Err(denial) => Verdict::Deny(denial),
        }
    }

    fn open(&mut self, token: &[u8], now: UnixSeconds) -> Result<(Principal, UnixSeconds), Denial> {
        let token = core::str::from_utf8(token).map_err(|_| Denial::UnknownAccessToken)?;
        let token = AccessToken::open(self.server.sealer(), token, now)
            .ok_or(Denial::UnknownAccessToken)?;
        let authority = &token.authority;
        if self.server.mode().denied.has(authority) {
            return Err(Denial::Revoked);
        }
        // Sealed while other scopes were required, perhaps.
        if !has_all(Some(&authority.scope), &self.required_scopes) {
            return Err(Denial::InsufficientScope);
        }
        let client = written(&authority.client);
        let issuer = self.server.issuer();
        let subject = authority.subject.as_str();
        let scope = Some(authority.scope.as_str()).filter(|scope| !scope.is_empty());
        let parts = [issuer.as_bytes(), subject.as_bytes(), client.as_bytes()];
        let principal = Principal::new(ModeName::OidcProxy, subject, &parts)
            .and_then(|principal| principal.with(OwnField::Subject, Some(subject)))
            .and_then(|principal| principal.with(OwnField::Client, Some(&client)))
            .and_then(|principal| principal.with_common(Some(issuer), scope, &mut self.pool));
        let principal = principal.ok_or(Denial::MalformedClaims)?;
        Ok((principal, token.until))
    }
}
