//! The names of all settings, in one place.

/// A setting, named as its environment variable; the JSON form uses the same names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Setting {
    /// Master switch of authentication.
    AuthEnabled,
    /// Forces a mode.
    AuthMode,
    /// The key of mode `api-key`, plain or `sha256:HEX`.
    ApiKey,
    /// More keys of mode `api-key`, a JSON list of their digests.
    ApiKeys,
    /// Native: the file that holds that list.
    ApiKeysFile,
    /// Where the JWKS is.
    JwksUri,
    /// Accepted issuers, comma list.
    Issuer,
    /// Accepted audiences, comma list.
    Audience,
    /// Accepted algorithms, comma list.
    Algorithms,
    /// Clock skew allowed, in seconds.
    LeewaySeconds,
    /// Mode `oidc`: the issuer's discovery document.
    OidcConfigUrl,
    /// The public URL of the protected resource.
    OidcBaseUrl,
    /// Mode `oidc`: accepted audiences other than the protected resource, comma list.
    OidcAudience,
    /// Scopes that every token must have, comma list.
    OidcRequiredScopes,
    /// Modes `oidc` and `oidcproxy`: the client id at the provider.
    OidcClientId,
    /// Mode `oidcproxy`: the client secret at the provider.
    OidcClientSecret,
    /// Mode `oidcproxy`: where the provider sends browsers back to.
    OidcRedirectPath,
    /// Mode `oidcproxy`: scopes to ask the provider for, comma list.
    OidcScopes,
    /// Mode `oidcproxy`: more parameters for the provider's authorization endpoint, as in a query.
    OidcExtraAuthorizeParams,
    /// Mode `oidcproxy`: more parameters for the provider's token endpoint, as in a query.
    OidcExtraTokenParams,
    /// Mode `oidcproxy`: redirect URIs that clients may register, comma list.
    OidcAllowedRedirectUris,
    /// Mode `oidcproxy`: whose client ID metadata documents are fetched.
    OidcClientDocuments,
    /// Mode `oidcproxy`: life of an access token, in seconds.
    OidcAccessTokenSeconds,
    /// Mode `oidcproxy`: life of a sign-in, in seconds.
    OidcSessionSeconds,
    /// Mode `oidcproxy`: what the provider is, where its issuer does not tell.
    IdpProfile,
    /// Mode `oidcproxy`: where another gateway answers the OAuth endpoints.
    OAuthEndpoints,
    /// Mode `oidcproxy`: clients that lost access, comma list.
    DeniedClients,
    /// Mode `oidcproxy`: subjects that lost access, comma list.
    DeniedSubjects,
    /// Mode `oidcproxy`: sign-ins before this time count no more, in seconds since 1970.
    DeniedSignInsBefore,
    /// Mode `oidcproxy`: the name on its pages.
    BrandName,
    /// Mode `oidcproxy`: the logo on its pages.
    BrandLogo,
    /// Mode `oidcproxy`: a line below its pages.
    BrandText,
    /// First label of the Zscaler identity host.
    VanityDomain,
    /// Zscaler cloud other than production.
    Cloud,
    /// Token endpoint in place of the one made from the vanity domain.
    TokenUrl,
    /// `forward` passes product entitlements on.
    Entitlements,
    /// Wrong secrets that one source address may have checked in a minute.
    WrongSecretsPerAddress,
    /// Wrong secrets that all may have checked in a minute.
    WrongSecretsInAll,
    /// Credentials that are remembered at most.
    CacheEntries,
    /// The protected resource.
    Upstream,
    /// Proxies whose forwarded addresses are believed, CIDR list.
    TrustedProxies,
    /// Keys that seal state, comma list of base64url.
    StateKeys,
    /// `off` leaves session ids alone.
    SessionBinding,
    /// Accepted `Host` values, comma list.
    AllowedHosts,
    /// Accepted `Origin` values, comma list.
    AllowedOrigins,
    /// Accepted client addresses, CIDR list.
    AllowedSourceIps,
    /// Filter: `host:port=cluster` list, for hosts whose cluster is not `outbound|PORT||HOST`.
    Clusters,
    /// Filter: whether the workers of one process share calls and budgets.
    WorkerLease,
    /// Filter: which decisions have a record in Envoy's log.
    Audit,
    /// Native: listen host.
    Host,
    /// Native: listen port.
    Port,
    /// Native: allows plain HTTP off loopback.
    AllowHttp,
    /// Native: certificate chain, PEM file.
    TlsCertfile,
    /// Native: private key, PEM file.
    TlsKeyfile,
    /// Native: authorities for client certificates, PEM file.
    TlsCaCerts,
    /// Native: folder for what must outlive the process.
    StateDir,
}

impl Setting {
    /// Every setting, in the order in which they are shown.
    pub const ALL: [Self; 56] = [
        Self::AuthEnabled,
        Self::AuthMode,
        Self::ApiKey,
        Self::ApiKeys,
        Self::ApiKeysFile,
        Self::JwksUri,
        Self::Issuer,
        Self::Audience,
        Self::Algorithms,
        Self::LeewaySeconds,
        Self::OidcConfigUrl,
        Self::OidcBaseUrl,
        Self::OidcAudience,
        Self::OidcRequiredScopes,
        Self::OidcClientId,
        Self::OidcClientSecret,
        Self::OidcRedirectPath,
        Self::OidcScopes,
        Self::OidcExtraAuthorizeParams,
        Self::OidcExtraTokenParams,
        Self::OidcAllowedRedirectUris,
        Self::OidcClientDocuments,
        Self::OidcAccessTokenSeconds,
        Self::OidcSessionSeconds,
        Self::IdpProfile,
        Self::OAuthEndpoints,
        Self::DeniedClients,
        Self::DeniedSubjects,
        Self::DeniedSignInsBefore,
        Self::BrandName,
        Self::BrandLogo,
        Self::BrandText,
        Self::VanityDomain,
        Self::Cloud,
        Self::TokenUrl,
        Self::Entitlements,
        Self::WrongSecretsPerAddress,
        Self::WrongSecretsInAll,
        Self::CacheEntries,
        Self::Upstream,
        Self::TrustedProxies,
        Self::StateKeys,
        Self::SessionBinding,
        Self::AllowedHosts,
        Self::AllowedOrigins,
        Self::AllowedSourceIps,
        Self::Clusters,
        Self::WorkerLease,
        Self::Audit,
        Self::Host,
        Self::Port,
        Self::AllowHttp,
        Self::TlsCertfile,
        Self::TlsKeyfile,
        Self::TlsCaCerts,
        Self::StateDir,
    ];

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthEnabled => "ZSCALER_MCP_AUTH_ENABLED",
            Self::AuthMode => "ZSCALER_MCP_AUTH_MODE",
            Self::ApiKey => "ZSCALER_MCP_AUTH_API_KEY",
            Self::ApiKeys => "PORTCULLIS_API_KEYS",
            Self::ApiKeysFile => "PORTCULLIS_API_KEYS_FILE",
            Self::JwksUri => "ZSCALER_MCP_AUTH_JWKS_URI",
            Self::Issuer => "ZSCALER_MCP_AUTH_ISSUER",
            Self::Audience => "ZSCALER_MCP_AUTH_AUDIENCE",
            Self::Algorithms => "ZSCALER_MCP_AUTH_ALGORITHMS",
            Self::LeewaySeconds => "PORTCULLIS_LEEWAY_SECONDS",
            Self::OidcConfigUrl => "OIDCPROXY_CONFIG_URL",
            Self::OidcBaseUrl => "OIDCPROXY_BASE_URL",
            Self::OidcAudience => "OIDCPROXY_AUDIENCE",
            Self::OidcRequiredScopes => "OIDCPROXY_REQUIRED_SCOPES",
            Self::OidcClientId => "OIDCPROXY_CLIENT_ID",
            Self::OidcClientSecret => "OIDCPROXY_CLIENT_SECRET",
            Self::OidcRedirectPath => "OIDCPROXY_REDIRECT_PATH",
            Self::OidcScopes => "OIDCPROXY_SCOPES",
            Self::OidcExtraAuthorizeParams => "OIDCPROXY_EXTRA_AUTHORIZE_PARAMS",
            Self::OidcExtraTokenParams => "OIDCPROXY_EXTRA_TOKEN_PARAMS",
            Self::OidcAllowedRedirectUris => "OIDCPROXY_ALLOWED_REDIRECT_URIS",
            Self::OidcClientDocuments => "OIDCPROXY_CLIENT_DOCUMENTS",
            Self::OidcAccessTokenSeconds => "OIDCPROXY_ACCESS_TOKEN_SECONDS",
            Self::OidcSessionSeconds => "OIDCPROXY_SESSION_SECONDS",
            Self::IdpProfile => "PORTCULLIS_IDP_PROFILE",
            Self::OAuthEndpoints => "PORTCULLIS_OAUTH_ENDPOINTS",
            Self::DeniedClients => "PORTCULLIS_DENIED_CLIENTS",
            Self::DeniedSubjects => "PORTCULLIS_DENIED_SUBJECTS",
            Self::DeniedSignInsBefore => "PORTCULLIS_DENIED_SIGN_INS_BEFORE",
            Self::BrandName => "PORTCULLIS_BRAND_NAME",
            Self::BrandLogo => "PORTCULLIS_BRAND_LOGO",
            Self::BrandText => "PORTCULLIS_BRAND_TEXT",
            Self::VanityDomain => "ZSCALER_VANITY_DOMAIN",
            Self::Cloud => "ZSCALER_CLOUD",
            Self::TokenUrl => "PORTCULLIS_TOKEN_URL",
            Self::Entitlements => "PORTCULLIS_ENTITLEMENTS",
            Self::WrongSecretsPerAddress => "PORTCULLIS_WRONG_SECRETS_PER_ADDRESS",
            Self::WrongSecretsInAll => "PORTCULLIS_WRONG_SECRETS_IN_ALL",
            Self::CacheEntries => "PORTCULLIS_CACHE_ENTRIES",
            Self::Upstream => "PORTCULLIS_UPSTREAM",
            Self::TrustedProxies => "PORTCULLIS_TRUSTED_PROXIES",
            Self::StateKeys => "PORTCULLIS_STATE_KEYS",
            Self::SessionBinding => "PORTCULLIS_SESSION_BINDING",
            Self::AllowedHosts => "ZSCALER_MCP_ALLOWED_HOSTS",
            Self::AllowedOrigins => "ZSCALER_MCP_ALLOWED_ORIGINS",
            Self::AllowedSourceIps => "ZSCALER_MCP_ALLOWED_SOURCE_IPS",
            Self::Clusters => "PORTCULLIS_CLUSTERS",
            Self::WorkerLease => "PORTCULLIS_WORKER_LEASE",
            Self::Audit => "PORTCULLIS_AUDIT",
            Self::Host => "ZSCALER_MCP_HOST",
            Self::Port => "ZSCALER_MCP_PORT",
            Self::AllowHttp => "ZSCALER_MCP_ALLOW_HTTP",
            Self::TlsCertfile => "ZSCALER_MCP_TLS_CERTFILE",
            Self::TlsKeyfile => "ZSCALER_MCP_TLS_KEYFILE",
            Self::TlsCaCerts => "ZSCALER_MCP_TLS_CA_CERTS",
            Self::StateDir => "PORTCULLIS_STATE_DIR",
        }
    }

    /// Returns the setting of the name `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// Tells whether values must never be shown.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(
            self,
            Self::ApiKey | Self::StateKeys | Self::OidcClientSecret
        )
    }
}
