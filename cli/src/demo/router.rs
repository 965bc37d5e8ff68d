//! A minimal router in front of pods: it assigns connections to pods by round robin, and sets a cookie that selects
//! the same pod again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Maximum size of a message head in bytes.
const LONGEST_HEAD: usize = 16 << 10;
/// Timeout of a message head.
const PATIENCE: Duration = Duration::from_secs(5);

/// Routes until it is dropped.
pub(super) struct Router {
    pub(super) address: SocketAddr,
    pods: Arc<Mutex<Pods>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Pods {
    /// Pods by cookie value.
    all: BTreeMap<String, SocketAddr>,
    turn: usize,
}

impl Router {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let pods = Arc::new(Mutex::new(Pods::default()));
        let of_task = pods.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let pods = of_task.clone();
                // An error closes the connection, which its client sees.
                tokio::spawn(async move { route(client, &pods).await });
            }
        });
        Ok(Self { address, pods, task: task.abort_handle() })
    }

    /// Replaces the pods, as an endpoints controller does.
    pub(super) fn set_pods(&self, pods: &[SocketAddr]) {
        let all = pods.iter().map(|pod| (format!("pod-{}", pod.port()), *pod)).collect();
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).all = all;
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pods {
    /// Returns the pod for a cookie, or the next pod.
    fn choose(&mut self, cookie: Option<&str>) -> Option<(String, SocketAddr)> {
        let known = cookie.and_then(|cookie| self.all.get_key_value(cookie));
        self.turn = self.turn.wrapping_add(usize::from(known.is_none()));
        let next = || self.all.iter().nth(self.turn % self.all.len().max(1));
        known.or_else(next).map(|(cookie, pod)| (cookie.clone(), *pod))
    }
}

async fn route(mut client: TcpStream, pods: &Mutex<Pods>) -> io::Result<()> {
    let request = head(&mut client).await?;
    let chosen = pods.lock().unwrap_or_else(PoisonError::into_inner).choose(cookie_of(&request).as_deref());
    let Some((cookie, pod)) = chosen else {
        return client.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    };
    let mut server = TcpStream::connect(pod).await?;
    server.write_all(&request).await?;
    let answer = head(&mut server).await?;
    let end_of_line = answer.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    let (line, rest) = answer.split_at(end_of_line);
    let set_cookie = format!("set-cookie: hotrod={cookie}; path=/; HttpOnly\r\n");
    client.write_all(&[line, set_cookie.as_bytes(), rest].concat()).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// Reads a message head, and the bytes that follow it in the same read.
async fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let read = async {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
        }
        Ok(head)
    };
    timeout(PATIENCE, read).await?
}

fn cookie_of(request: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().find_map(|line| line.strip_prefix("cookie: "))?;
    line.split("; ").find_map(|cookie| cookie.strip_prefix("hotrod=")).map(ToString::to_string)
}
