//! Connections to the outside, with one time limit over name, TCP and TLS.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::resolver::Resolver;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A connection, with TLS or without.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why there is no connection.
pub(super) type ConnectError = Box<dyn Error + Send + Sync>;

/// Connects to `http` and `https` URLs. The proxy variables of the environment are not read.
#[derive(Clone)]
pub(crate) struct Connector(HttpsConnector<HttpConnector<Resolver>>);

impl Connector {
    /// Makes a connector that trusts as `tls` says.
    pub(crate) fn new(tls: ClientConfig) -> Self {
        Self::over(Resolver::Anywhere, tls)
    }

    /// Makes a connector for hosts that a stranger names: it connects to public addresses only.
    pub(crate) fn to_public_hosts(tls: ClientConfig) -> Self {
        Self::over(Resolver::Public, tls)
    }

    fn over(resolver: Resolver, tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        // Notices a peer that vanished in the middle of a silent stream.
        http.set_keepalive(Some(KEEPALIVE));
        Self(
            HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                .https_or_http()
                .enable_http1()
                .wrap_connector(http),
        )
    }

    /// Connects to the server of `uri`.
    ///
    /// # Errors
    ///
    /// Fails when there is no connection in time.
    pub(super) async fn connect(&self, uri: Uri) -> Result<Stream, ConnectError> {
        let mut connector = self.0.clone();
        timeout(CONNECT_LIMIT, connector.call(uri)).await?
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move { timeout(CONNECT_LIMIT, connecting).await? })
    }
}
