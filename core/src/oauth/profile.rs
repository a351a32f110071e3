//! What OpenID providers need that their discovery documents do not say.

use alloc::string::String;

use crate::url::HttpUrl;

/// A provider, as far as it differs from others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Profile {
    /// One that keeps to OpenID Connect.
    Generic,
    /// Microsoft Entra ID.
    Entra,
    Okta,
    Google,
    /// Amazon Cognito user pools.
    Cognito,
    /// PingOne of Ping Identity.
    PingOne,
    Auth0,
    Keycloak,
}

impl Profile {
    const ALL: [Self; 8] = [
        Self::Generic,
        Self::Entra,
        Self::Okta,
        Self::Google,
        Self::Cognito,
        Self::PingOne,
        Self::Auth0,
        Self::Keycloak,
    ];

    /// Tells the provider by its issuer; one that is not known, or has a domain of its own, is
    /// [`Self::Generic`].
    pub(crate) fn detect(issuer: &HttpUrl) -> Self {
        let host = issuer.host();
        let below = |domain: &str| {
            let name = host.strip_suffix(domain);
            name.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
        };
        match host {
            // Worldwide, and the national clouds of the United States and China.
            "login.microsoftonline.com"
            | "sts.windows.net"
            | "login.microsoftonline.us"
            | "login.partner.microsoftonline.cn" => return Self::Entra,
            "accounts.google.com" => return Self::Google,
            _ => {}
        }
        if below("ciamlogin.com") {
            Self::Entra
        } else if OKTA_DOMAINS.iter().any(|domain| below(domain)) {
            Self::Okta
        } else if host.starts_with("cognito-idp.")
            && (below("amazonaws.com") || below("amazonaws.com.cn"))
        {
            Self::Cognito
        } else if PINGONE_HOSTS.contains(&host) {
            Self::PingOne
        } else if below("auth0.com") {
            Self::Auth0
        } else if issuer.path().contains("/realms/") {
            // Keycloak runs under its owner's domain, and its path shows (`/auth/realms/NAME` up
            // to version 16).
            Self::Keycloak
        } else {
            Self::Generic
        }
    }

    /// Returns the profile of this name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|profile| name.eq_ignore_ascii_case(profile.name()))
    }

    /// Returns all names, for people.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Returns the name that settings and logs use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Entra => "entra",
            Self::Okta => "okta",
            Self::Google => "google",
            Self::Cognito => "cognito",
            Self::PingOne => "pingone",
            Self::Auth0 => "auth0",
            Self::Keycloak => "keycloak",
        }
    }

    /// Returns what the provider needs.
    pub(crate) const fn traits(self) -> Traits {
        match self {
            Self::Generic => Traits {
                extra_authorize: &[("prompt", "consent")],
                ..Traits::USUAL
            },
            Self::Okta | Self::PingOne | Self::Keycloak => Traits::USUAL,
            Self::Entra => Traits {
                refresh_needs_scope: true,
                ..Traits::USUAL
            },
            Self::Google => Traits {
                extra_authorize: &[("access_type", "offline"), ("prompt", "consent")],
                default_scopes: &["openid", "profile", "email"],
                hosts: &["oauth2.googleapis.com", "www.googleapis.com"],
                ..Traits::USUAL
            },
            Self::Cognito => Traits {
                default_scopes: &["openid", "profile", "email"],
                ..Traits::USUAL
            },
            Self::Auth0 => Traits {
                audience_parameter: true,
                ..Traits::USUAL
            },
        }
    }
}

/// What a provider needs of a sign-in; settings may say otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traits {
    /// Whether the configured audience is sent as `audience`. Auth0 gives an opaque access token
    /// without it.
    pub(crate) audience_parameter: bool,
    /// Parameters that the authorization request has besides.
    ///
    /// A provider that keeps to OpenID Connect Core §11 gives a refresh token only with
    /// `prompt=consent`; Google only with `access_type=offline` too, and after the first sign-in.
    pub(crate) extra_authorize: &'static [(&'static str, &'static str)],
    /// Scopes that are asked for unless others are configured.
    ///
    /// OpenID Connect Core §11 ties a refresh token to `offline_access`; Entra, Okta, Auth0,
    /// `PingOne` and Keycloak do, too. Google and Cognito refuse the scope as unknown: Cognito
    /// gives a refresh token always, Google by [`Self::extra_authorize`].
    pub(crate) default_scopes: &'static [&'static str],
    /// Whether a refresh request repeats the scopes. Entra's v2.0 endpoint may otherwise answer
    /// with a token for another resource.
    pub(crate) refresh_needs_scope: bool,
    /// How the client authenticates when the discovery document names no method. RFC 8414 §2 and
    /// OpenID Connect Discovery §3 then mean `client_secret_basic`, which all of these take.
    pub(crate) client_authentication: ClientAuthentication,
    /// Hosts besides the issuer's that calls go to. Google's token endpoint and JWKS are on these;
    /// an Envoy needs a cluster for each.
    pub(crate) hosts: &'static [&'static str],
}

impl Traits {
    const USUAL: Self = Self {
        audience_parameter: false,
        extra_authorize: &[],
        default_scopes: &["openid", "profile", "email", "offline_access"],
        refresh_needs_scope: false,
        client_authentication: ClientAuthentication::Basic,
        hosts: &[],
    };
}

/// How a client with a secret authenticates (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientAuthentication {
    /// `client_secret_basic`: in the header section.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

impl ClientAuthentication {
    /// Chooses among the methods of a discovery document, `token_endpoint_auth_methods_supported`;
    /// `None` when the endpoint takes neither.
    pub(crate) fn choose(self, supported: Option<&[impl AsRef<str>]>) -> Option<Self> {
        let Some(supported) = supported else {
            return Some(self);
        };
        let other = match self {
            Self::Basic => Self::Post,
            Self::Post => Self::Basic,
        };
        [self, other]
            .into_iter()
            .find(|method| supported.iter().any(|name| name.as_ref() == method.name()))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

const OKTA_DOMAINS: [&str; 4] = [
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
];

/// One for each region.
const PINGONE_HOSTS: [&str; 6] = [
    "auth.pingone.com",
    "auth.pingone.eu",
    "auth.pingone.ca",
    "auth.pingone.asia",
    "auth.pingone.com.au",
    "auth.pingone.sg",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(issuer: &str, expected: Profile) {
        let issuer = HttpUrl::parse(issuer).unwrap();
        assert_eq!(Profile::detect(&issuer), expected, "{issuer}");
    }

    #[test]
    fn a_provider_is_told_by_its_issuer() {
        check(
            "https://login.microsoftonline.com/TENANT/v2.0",
            Profile::Entra,
        );
        check(
            "https://Login.MicrosoftOnline.com/TENANT/v2.0",
            Profile::Entra,
        );
        check("https://sts.windows.net/TENANT/", Profile::Entra);
        check(
            "https://login.microsoftonline.us/TENANT/v2.0",
            Profile::Entra,
        );
        check("https://contoso.ciamlogin.com/TENANT/v2.0", Profile::Entra);
        check("https://example.okta.com", Profile::Okta);
        check("https://example.okta.com/oauth2/default", Profile::Okta);
        check("https://example.oktapreview.com", Profile::Okta);
        check("https://example.okta-emea.com", Profile::Okta);
        check("https://accounts.google.com", Profile::Google);
        check(
            "https://cognito-idp.eu-west-1.amazonaws.com/POOL",
            Profile::Cognito,
        );
        check(
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/POOL",
            Profile::Cognito,
        );
        check("https://auth.pingone.com/ENVIRONMENT/as", Profile::PingOne);
        check(
            "https://auth.pingone.com.au/ENVIRONMENT/as",
            Profile::PingOne,
        );
        check("https://example.eu.auth0.com/", Profile::Auth0);
        check("https://id.example.com/realms/main", Profile::Keycloak);
        check("http://localhost:8080/auth/realms/main", Profile::Keycloak);
    }

    #[test]
    fn a_host_that_only_looks_like_a_provider_is_generic() {
        for issuer in [
            "https://id.example.com",
            "https://login.microsoftonline.com.evil.example/TENANT/v2.0",
            "https://evil-okta.com",
            "https://okta.com",
            "https://example.okta.com.evil.example",
            "https://accounts.google.com.evil.example",
            "https://evilaccounts.google.com",
            "https://cognito-idp.evil.example",
            "https://cognito-idp.evilamazonaws.com",
            "https://s3.amazonaws.com",
            "https://auth.pingone.evil.example",
            "https://evilauth0.com",
            "https://id.example.com/realms",
        ] {
            check(issuer, Profile::Generic);
        }
    }

    #[test]
    fn a_profile_is_named_in_settings() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
            let upper = profile.name().to_ascii_uppercase();
            assert_eq!(Profile::from_name(&upper), Some(profile));
        }
        assert_eq!(Profile::from_name("other"), None);
        assert_eq!(Profile::from_name(""), None);
    }

    #[test]
    fn every_provider_gets_what_it_needs() {
        for profile in Profile::ALL {
            let traits = profile.traits();
            assert!(traits.default_scopes.contains(&"openid"), "{profile:?}");
            let offline = traits.default_scopes.contains(&"offline_access");
            let refused = matches!(profile, Profile::Google | Profile::Cognito);
            assert_eq!(offline, !refused, "{profile:?}");
            assert_eq!(traits.audience_parameter, profile == Profile::Auth0);
            assert_eq!(traits.refresh_needs_scope, profile == Profile::Entra);
            let google = profile == Profile::Google;
            assert_eq!(traits.hosts.len() == 2, google, "{profile:?}");
            let parameters: &[_] = &[("access_type", "offline"), ("prompt", "consent")];
            assert_eq!(traits.extra_authorize == parameters, google);
        }
    }

    #[test]
    fn a_client_authenticates_as_the_endpoint_can() {
        let (basic, post) = (ClientAuthentication::Basic, ClientAuthentication::Post);
        let both: &[_] = &["client_secret_post", "client_secret_basic"];
        assert_eq!(basic.choose(None::<&[&str]>), Some(basic));
        assert_eq!(basic.choose(Some(both)), Some(basic));
        assert_eq!(post.choose(Some(both)), Some(post));
        assert_eq!(basic.choose(Some(&["client_secret_post"])), Some(post));
        assert_eq!(post.choose(Some(&["client_secret_basic"])), Some(basic));
        assert_eq!(basic.choose(Some(&["private_key_jwt"])), None);
        assert_eq!(basic.choose(Some::<&[&str]>(&[])), None);
    }
}
