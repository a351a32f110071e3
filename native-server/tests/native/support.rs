//! The binary under test, the server behind it, and a client that shows every byte.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Everything passes, whatever its `Host`.
pub(crate) const OPEN: [(&str, &str); 2] = [
    ("ZSCALER_MCP_AUTH_MODE", "none"),
    ("ZSCALER_MCP_ALLOWED_HOSTS", "*"),
];

/// A command line of the binary, with an environment of its own.
pub(crate) fn command(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .args(args)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> Output {
    command(args, environment).output().expect("binary runs")
}

/// `portcullis serve` on a free port of 127.0.0.1.
pub(crate) struct Gateway {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<(Mutex<String>, Condvar)>,
}

impl Gateway {
    pub(crate) fn start(upstream: SocketAddr, args: &[&str]) -> Self {
        let upstream = format!("http://{upstream}");
        let mut all = vec!["--upstream", &upstream];
        all.extend(args);
        Self::start_with(&all, &OPEN)
    }

    /// Starts with exactly these arguments, the listen address and the log level apart.
    pub(crate) fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--log-level", "debug"];
        all.extend(args);
        Self::start_command(&mut command(&all, environment), &[])
    }

    /// Starts with this command line, which ends up being `portcullis serve`.
    pub(crate) fn start_command(command: &mut Command, environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("binary starts");
        let log = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let (sender, listening) = channel();
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let seen = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on ") {
                    let end = address.find('"').unwrap_or(address.len());
                    let _ = sender.send(address[..end].parse().expect("address"));
                }
                let (log, grown) = &*seen;
                let mut log = log.lock().expect("lock");
                log.push_str(&line);
                log.push('\n');
                grown.notify_all();
            }
        });
        let address = listening.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("did not listen:\n{}", log.0.lock().expect("lock"))
        });
        Self {
            child,
            address,
            log,
        }
    }

    /// Returns the log once it holds `part`.
    #[track_caller]
    pub(crate) fn log_with(&self, part: &str) -> String {
        let (log, grown) = &*self.log;
        let log = log.lock().expect("lock");
        let (log, _) = grown
            .wait_timeout_while(log, PATIENCE, |log| !log.contains(part))
            .expect("lock");
        assert!(log.contains(part), "{part} is not in {log}");
        log.clone()
    }

    /// Tells it to end, and waits until it has, for no longer than `limit`.
    #[track_caller]
    pub(crate) fn ends_within(&mut self, limit: Duration) {
        self.terminate();
        let told = Instant::now();
        while self.child.try_wait().expect("waits").is_none() {
            assert!(told.elapsed() < limit, "it goes on after {limit:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once and returns what it wrote to standard output.
    pub(crate) fn end(mut self) -> String {
        self.child.kill().expect("running");
        let mut text = String::new();
        let mut stdout = self.child.stdout.take().expect("piped");
        stdout.read_to_string(&mut text).expect("text");
        text
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([name, &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    /// Sends one request and reads until the connection ends.
    pub(crate) fn exchange(&self, request: &str) -> String {
        let mut wire = self.connect();
        wire.send(request);
        wire.read_to_end()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection, byte by byte.
pub(crate) struct Wire(pub(crate) BufReader<TcpStream>);

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).expect("accepts"))
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("socket");
        stream.set_nodelay(true).expect("socket");
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("sent");
    }

    /// Sends blanks until the other end has had enough.
    pub(crate) fn flood(&mut self) {
        while self.0.get_mut().write_all(&[b' '; 4096]).is_ok() {}
    }

    /// Reads a head, with its empty line.
    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let length = self.0.read_line(&mut head).expect("line");
            assert_ne!(length, 0, "ended within a head: {head:?}");
        }
        head
    }

    /// Reads a line with its end, if one comes.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).expect("line");
        (length > 0).then_some(line)
    }

    /// Reads the next head, if one comes.
    pub(crate) fn next_head(&mut self) -> Option<String> {
        let more = self.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        more.then(|| self.head())
    }

    /// Reads a response whose length is given.
    pub(crate) fn response(&mut self) -> String {
        let head = self.head();
        let length = values(&head, "content-length").concat().parse();
        let mut body = vec![0; length.expect("content-length")];
        self.0.read_exact(&mut body).expect("bytes");
        head + &String::from_utf8(body).expect("text")
    }

    /// Reads exactly as many bytes as `expected` has.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) {
        let mut read = vec![0; expected.len()];
        self.0.read_exact(&mut read).expect("bytes");
        assert_eq!(String::from_utf8_lossy(&read), expected);
    }

    pub(crate) fn read_to_end(&mut self) -> String {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("end");
        String::from_utf8(rest).expect("text")
    }

    /// Waits until the other end closes or resets the connection.
    pub(crate) fn wait_for_end(&mut self) {
        let mut rest = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut rest) {
            let kind = error.kind();
            assert_eq!(kind, std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
}

/// A server whose every connection is one call of a handler.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// The heads of the requests, in order.
    pub(crate) heads: Receiver<String>,
}

impl Upstream {
    /// Serves; the handler gets the connection after the first head.
    pub(crate) fn start(handler: impl Fn(Wire) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("free port");
        let address = listener.local_addr().expect("bound");
        let (sender, heads) = channel();
        let handler = Arc::new(handler);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let handler = Arc::clone(&handler);
                let sender = sender.clone();
                thread::spawn(move || {
                    let mut wire = Wire::new(stream);
                    let _ = sender.send(wire.head());
                    handler(wire);
                });
            }
        });
        Self { address, heads }
    }

    /// Answers every request with `response` and closes.
    pub(crate) fn answering(response: &'static str) -> Self {
        Self::start(move |mut wire| {
            wire.send(response);
            // Closing with unread bytes of a body would reset the connection, and the response
            // might be lost with it.
            wire.0.get_ref().shutdown(Shutdown::Write).expect("open");
            wire.wait_for_end();
        })
    }

    pub(crate) fn head(&self) -> String {
        self.heads.recv_timeout(PATIENCE).expect("a request")
    }

    /// Returns the address of a port that nobody listens on.
    pub(crate) fn dead() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("free port");
        listener.local_addr().expect("bound")
    }
}

/// Returns the values of a field in a head, in order.
pub(crate) fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

/// Makes a named pipe, which stands in for a file that hangs as long as nobody is at its other
/// end.
pub(crate) fn pipe(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo runs").success());
    path
}

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("file");
        path.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
