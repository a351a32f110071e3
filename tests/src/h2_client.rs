//! Sends requests over HTTP/2 with prior knowledge (RFC 9113 §3.3).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use h2::client;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::client::{Request, Response};
use crate::wire::{self, Head};

/// How long a client waits for the whole answer before the test fails.
const PATIENCE: Duration = Duration::from_secs(25);

/// Sends `request`, written for HTTP/1.1, as one stream of a connection of its own.
///
/// # Errors
///
/// Fails when HTTP/2 cannot carry the request and when there is no whole answer.
pub(crate) fn send(request: &Request, address: SocketAddr) -> io::Result<Response> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(address).await?;
        timeout(PATIENCE, exchange(request, stream))
            .await
            .map_err(io::Error::other)?
            .map_err(io::Error::other)
    })
}

async fn exchange(request: &Request, stream: TcpStream) -> Result<Response, h2::Error> {
    let (mut sender, connection) = client::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let (head, body) = translate(request);
    let (response, mut upload) = sender.send_request(head, body.is_empty())?;
    if !body.is_empty() {
        upload.send_data(body.into(), true)?;
    }
    let (head, mut download) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = download.data().await {
        let chunk = chunk?;
        body.extend_from_slice(&chunk);
        download.flow_control().release_capacity(chunk.len())?;
    }
    driver.abort();
    Ok(Response {
        status: head.status.as_u16(),
        fields: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body,
    })
}

/// Makes `:authority` of `Host`, and leaves out what HTTP/2 has no use for (RFC 9113 §8.2.2).
fn translate(request: &Request) -> (http::Request<()>, Vec<u8>) {
    let bytes = request.to_bytes();
    let mut reader = bytes.as_slice();
    let Head { start, fields } = wire::read_head(&mut reader).unwrap().unwrap();
    let mut words = start.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (method, target) = (word(), word());
    let host = wire::value(&fields, "host").unwrap_or_default();
    let uri = http::Uri::builder()
        .scheme("http")
        .authority(host)
        .path_and_query(target)
        .build()
        .unwrap();
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in &fields {
        if !matches!(name.as_str(), "host" | "connection" | "transfer-encoding") {
            builder = builder.header(name, value.as_slice());
        }
    }
    (builder.body(()).unwrap(), reader.to_vec())
}
