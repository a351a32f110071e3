//! An MCP server on the official Rust SDK, to stand behind a gateway.
//!
//! It listens on loopback only, keeps sessions, and has no authentication of its own: whoever
//! reaches it may call it, which is what a gateway is for.

mod tools;

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::{TcpListener, TcpStream};

use crate::tools::Tools;

/// The one path of the MCP endpoint.
const ENDPOINT: &str = "/mcp";

type Service = StreamableHttpService<Tools, LocalSessionManager>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = listen_address(std::env::args().skip(1))?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    // With port 0 the system chooses one, so whoever started us reads it here.
    writeln!(
        std::io::stdout(),
        "listening on http://{}{ENDPOINT}",
        listener.local_addr()?
    )?;
    serve(listener).await
}

fn listen_address(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<SocketAddr> {
    let usage = "usage: portcullis-demo --listen HOST:PORT, HOST a loopback address";
    let (Some(flag), Some(value), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        anyhow::bail!(usage);
    };
    let address: SocketAddr = value.parse().context(usage)?;
    anyhow::ensure!(flag == "--listen" && address.ip().is_loopback(), usage);
    Ok(address)
}

async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    // The SDK refuses hosts other than loopback ones, so a gateway that forgets to rewrite Host
    // is seen.
    let service: Service = StreamableHttpService::new(
        || Ok(Tools::new()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, service.clone()));
    }
}

async fn connection(stream: TcpStream, service: Service) {
    let answer = service_fn(move |request| answer(service.clone(), request));
    // A client that leaves in the middle of a stream is an error here and of no interest.
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    service: Service,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    if request.uri().path() == ENDPOINT {
        return hyper::service::Service::call(&TowerToHyperService::new(service), request).await;
    }
    let mut response = Response::new(Full::default().boxed());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}
