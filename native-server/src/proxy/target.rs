//! Where the protected resource is.

use http::Uri;

use super::connector::{ConnectError, Connector, Stream};

/// The server of the protected resource, and how to connect to it.
pub(super) struct Target {
    connector: Connector,
    uri: Uri,
}

impl Target {
    pub(super) const fn new(connector: Connector, uri: Uri) -> Self {
        Self { connector, uri }
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Fails when the server cannot be reached.
    pub(super) async fn connect(&self) -> Result<Stream, ConnectError> {
        self.connector.connect(self.uri.clone()).await
    }
}
