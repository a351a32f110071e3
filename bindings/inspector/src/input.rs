//! What is to be explained.

use std::net::IpAddr;

use portcullis_core::config::Site;
use portcullis_core::explain::{Given, explain};
use portcullis_core::{Peer, RequestHead, UnixSeconds};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::pasted::Pasted;
use crate::report::Report;
use crate::settings::Known;

/// The input, as JavaScript gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    settings: Map<String, Value>,
    #[serde(default)]
    gateway: Gateway,
    request: String,
    method: Option<String>,
    path: Option<String>,
    host: Option<String>,
    address: Option<String>,
    jwks: Option<String>,
    now: f64,
}

/// Where the gateway runs.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Gateway {
    #[default]
    Native,
    Loopback,
    Envoy,
}

impl Gateway {
    const fn site(self) -> Site {
        match self {
            Self::Native => Site::Native { loopback: false },
            Self::Loopback => Site::Native { loopback: true },
            Self::Envoy => Site::Filter,
        }
    }
}

impl Input {
    /// Reads an input.
    ///
    /// # Errors
    ///
    /// Refuses what is not of the documented form.
    pub(crate) fn parse(json: &str) -> Result<Self, String> {
        // The library's own words may quote a value.
        serde_json::from_str(json).map_err(|_| "the input is not of the documented form".to_owned())
    }

    /// Explains the request.
    ///
    /// # Errors
    ///
    /// Says which of settings, request and address cannot be understood.
    pub(crate) fn explain(&self) -> Result<Report, String> {
        let known = Known::resolve(&self.settings, self.gateway.site())?;
        let mut pasted = Pasted::parse(&self.request)?;
        let overrides = [
            (&self.method, &mut pasted.method),
            (&self.path, &mut pasted.path),
            (&self.host, &mut pasted.host),
        ];
        for (given, of_request) in overrides {
            if let Some(given) = given
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                given.clone_into(of_request);
            }
        }
        let headers: Vec<(&str, &[u8])> = pasted
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let head = RequestHead {
            method: pasted.method.as_bytes(),
            authority: pasted.host.as_bytes(),
            path: pasted.path.as_bytes(),
            headers: &headers,
            peer: self.peer()?,
        };
        let jwks = self.jwks.as_deref().map(str::trim);
        let given = Given {
            jwks: jwks.filter(|text| !text.is_empty()).map(str::as_bytes),
            secrets: known.secrets,
            now: self.clock()?,
        };
        let explanation = explain(&known.resolution, &head, &given);
        Ok(Report::new(&pasted, &known, explanation))
    }

    fn peer(&self) -> Result<Peer<'static>, String> {
        let Some(text) = self
            .address
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        else {
            return Ok(Peer::Unknown);
        };
        let address: Result<IpAddr, _> = text.parse();
        address
            .map(Peer::Address)
            .map_err(|_| "the source address is not an IP address, such as 192.0.2.1".to_owned())
    }

    fn clock(&self) -> Result<UnixSeconds, String> {
        // A whole number below 2^53 is written without an exponent.
        let whole = format!("{:.0}", self.now.floor()).parse();
        whole
            .map(UnixSeconds)
            .map_err(|_| "the time must be in seconds since 1970".to_owned())
    }
}
