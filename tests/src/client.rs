//! An HTTP/1.1 client that sends bytes as they are, so that hostile requests can be written.

use std::fmt;
use std::io::{self, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::h2_client;
use crate::wire::{self, Fields};

/// How long a client waits for the next byte before the test fails.
const PATIENCE: Duration = Duration::from_secs(25);

/// How a request travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1, byte for byte as written.
    Http1,
    /// HTTP/2 with prior knowledge, the same fields in frames.
    Http2,
}

/// The bytes of one request.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    body: Vec<u8>,
    head_only: bool,
}

impl Request {
    /// Begins a request with the host that no rule forbids.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self::bare(method, target).field("Host", "mcp.example.com")
    }

    /// Begins a request without any field, not even `Host`.
    #[must_use]
    pub fn bare(method: &str, target: &str) -> Self {
        Self {
            bytes: format!("{method} {target} HTTP/1.1\r\n").into_bytes(),
            body: Vec::new(),
            head_only: method == "HEAD",
        }
    }

    /// Begins `GET target`.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Makes `POST target` with a JSON body, as MCP clients send.
    #[must_use]
    pub fn post(target: &str, body: &str) -> Self {
        Self::new("POST", target)
            .field("Content-Type", "application/json")
            .body(body)
    }

    /// Adds a field line `name: value`, both as they are.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(b": ");
        self.bytes.extend(value.as_ref());
        self.bytes.extend(b"\r\n");
        self
    }

    /// Adds a field line given as a whole, without its line end.
    #[must_use]
    pub fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.bytes.extend(line.as_ref());
        self.bytes.extend(b"\r\n");
        self
    }

    /// Adds a body and its `Content-Length`.
    #[must_use]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut request = self.field("Content-Length", body.len().to_string());
        request.body = body;
        request
    }

    /// Adds a body as it is; the fields must say how it is framed.
    #[must_use]
    pub fn unframed_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Tells whether the answer has no body whatever its fields say.
    #[must_use]
    pub const fn is_head(&self) -> bool {
        self.head_only
    }

    /// Returns the request as it is sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.bytes.as_slice(), b"\r\n", &self.body].concat()
    }

    /// Sends the request on a connection of its own by `protocol` and reads the answer.
    ///
    /// # Errors
    ///
    /// Fails when the protocol cannot carry the request and when there is no whole answer.
    pub fn send_by(&self, protocol: Protocol, address: SocketAddr) -> io::Result<Response> {
        match protocol {
            Protocol::Http1 => self.send(address),
            Protocol::Http2 => h2_client::send(self, address),
        }
    }

    /// Sends the request on a connection of its own and reads the answer.
    ///
    /// # Errors
    ///
    /// Fails when there is no whole answer.
    pub fn send(&self, address: SocketAddr) -> io::Result<Response> {
        self.send_on(Connection::open(address)?)
    }

    /// Sends the request from an address of this machine and reads the answer.
    ///
    /// # Errors
    ///
    /// Fails when there is no whole answer.
    pub fn send_from(&self, source: IpAddr, address: SocketAddr) -> io::Result<Response> {
        self.send_on(Connection::open_from(source, address)?)
    }

    fn send_on(&self, mut connection: Connection) -> io::Result<Response> {
        // A peer that refuses in mid-request closes early; its answer is there all the same.
        let sent = connection.write(&self.to_bytes());
        connection
            .read_response(self.head_only)
            .map_err(|error| sent.err().unwrap_or(error))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.bytes[..self.bytes.len().min(600)];
        write!(f, "{}", shown.escape_ascii())
    }
}

/// One connection to a gateway.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Fails when nothing listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        Self::on(TcpStream::connect(address)?)
    }

    /// Connects from an address of this machine.
    ///
    /// # Errors
    ///
    /// Fails when nothing listens there.
    pub fn open_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(source, 0))?;
            socket.connect(address).await?.into_std()
        })?;
        stream.set_nonblocking(false)?;
        Self::on(stream)
    }

    fn on(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// Fails when the peer has closed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Reads one whole answer; `head_only` says that it answers `HEAD`.
    ///
    /// # Errors
    ///
    /// Fails when the answer is cut, is no HTTP, or does not come in time.
    pub fn read_response(&mut self, head_only: bool) -> io::Result<Response> {
        let (status, fields) = self.read_response_head()?;
        let body = if head_only || status < 200 || matches!(status, 204 | 304) {
            Vec::new()
        } else {
            wire::read_body(&mut self.reader, &fields, true)?
        };
        Ok(Response {
            status,
            fields,
            body,
        })
    }

    /// Reads the head of an answer and leaves its body.
    ///
    /// # Errors
    ///
    /// As [`Self::read_response`].
    pub fn read_response_head(&mut self) -> io::Result<(u16, Fields)> {
        let head = wire::read_head(&mut self.reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head
            .start
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no status in {:?}", head.start)))?;
        Ok((status, head.fields))
    }

    /// Reads one chunk of a body; `None` after the last.
    ///
    /// # Errors
    ///
    /// As [`wire::read_chunk`].
    pub fn read_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        wire::read_chunk(&mut self.reader)
    }
}

/// An answer as read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub fields: Fields,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns every value of the field `name` (lower case), as text.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        self.fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// Returns the only value of the field `name`; empty when absent.
    ///
    /// # Panics
    ///
    /// Panics when there is more than one.
    #[must_use]
    pub fn value(&self, name: &str) -> String {
        let mut values = self.values(name);
        assert!(values.len() <= 1, "{name} occurs twice: {values:?}");
        values.pop().unwrap_or_default()
    }

    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON, null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
