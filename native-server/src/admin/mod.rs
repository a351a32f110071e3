//! The listener for the people who run the gateway: metrics, and what else [`routes`] names.

mod access;
mod activity;
mod page;
mod routes;
mod status;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use self::access::Access;
use self::routes::Desk;
use crate::listen;
use crate::proxy::Current;
use crate::settings::split_listen;
use crate::telemetry::Telemetry;

/// A scraper, a few people and a probe; whoever opens more waits.
const MAX_CONNECTIONS: usize = 32;

/// Longer than a scraper pauses.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// Flags of the admin listener.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Admin listener")]
pub(crate) struct AdminArgs {
    /// Serve metrics here, such as 127.0.0.1:9464; other than loopback needs --admin-token-file
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// File with the token that the admin listener asks for, of 16 characters or more
    #[arg(long, value_name = "FILE", requires = "admin")]
    admin_token_file: Option<std::path::PathBuf>,
}

impl AdminArgs {
    /// Tells whether there is to be a listener.
    pub(crate) const fn is_on(&self) -> bool {
        self.admin.is_some()
    }

    /// Checks the flags and the file that they name, and opens nothing.
    ///
    /// # Errors
    ///
    /// Refuses an address without a port, one that others can reach without a token, and a token
    /// that cannot be read or could be guessed.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.understood().map(drop)
    }

    /// Opens the listener, if there is to be one.
    ///
    /// # Errors
    ///
    /// As [`Self::check`], and where the address is taken.
    pub(crate) async fn open(&self) -> anyhow::Result<Option<Admin>> {
        let Some((host, port, access)) = self.understood()? else {
            return Ok(None);
        };
        let listener = TcpListener::bind((host, port))
            .await
            .with_context(|| format!("cannot listen on {host}:{port} for --admin"))?;
        Ok(Some(Admin {
            access,
            address: listener.local_addr()?,
            listener,
        }))
    }

    fn understood(&self) -> anyhow::Result<Option<(&str, u16, Access)>> {
        let Some(address) = &self.admin else {
            return Ok(None);
        };
        let (host, port) = split_listen(address).context("--admin must be HOST:PORT")?;
        let token = self.admin_token_file.as_deref().map(access::read_token);
        let token = token.transpose()?;
        let loopback = listen::is_loopback(host);
        if !loopback && token.is_none() {
            bail!(
                "--admin {address} can be reached from other machines, so it needs \
                 --admin-token-file; better listen on 127.0.0.1"
            );
        }
        let port: u16 = port.parse().context("--admin must be HOST:PORT")?;
        Ok(Some((host, port, Access::new(loopback, token))))
    }
}

/// A listener that is open.
pub(crate) struct Admin {
    listener: TcpListener,
    access: Access,
    address: SocketAddr,
}

impl Admin {
    /// Serves for ever.
    pub(crate) async fn serve(self, telemetry: Arc<Telemetry>, current: Arc<Current>) {
        tracing::info!("metrics on http://{}/metrics", self.address);
        let desk = Arc::new(Desk {
            access: self.access,
            telemetry,
            current,
        });
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let desk = Arc::clone(&desk);
                    tokio::spawn(async move {
                        serve_connection(stream, desk).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections for --admin");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, desk: Arc<Desk>) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request: Request<Incoming>| {
                let (desk, head) = (Arc::clone(&desk), request.into_parts().0);
                async move {
                    // This thread serves clients, too, and a page may have a line for each of a
                    // hundred thousand keys.
                    let answered = spawn_blocking(move || desk.answer(&head)).await;
                    Ok::<_, Infallible>(answered.unwrap_or_else(|_| routes::failed()))
                }
            }),
        )
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection to --admin ended");
    }
}
