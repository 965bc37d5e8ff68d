//! A complete host without TLS: the machine over own sockets, one reader thread per link.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant as Clock};

use hotrod_core::cluster::{CacheHandle, Call, Cluster, Config, Dial, LinkId, Output};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Expiration, Reply, Request, RequestOptions};

type News = Box<dyn FnOnce(&mut Host) + Send>;

struct Host {
    machine: Cluster,
    began: Clock,
    sockets: HashMap<LinkId, TcpStream>,
    news: (Sender<News>, Receiver<News>),
}

impl Host {
    fn now(&self) -> Instant {
        Instant::from_micros(self.began.elapsed().as_micros() as u64)
    }

    fn execute(&mut self, cache: &CacheHandle, request: Request) -> Reply {
        let submitted = self.machine.submit(self.now(), Call::new(cache, request)).expect("accepted");
        loop {
            while let Some(output) = self.machine.poll_output() {
                match output {
                    Output::Completed { id, result, .. } if id == submitted => return result.expect("an answer"),
                    other => self.handle(other),
                }
            }
            let deadline = self.machine.poll_timeout().map_or(u64::MAX, Instant::as_micros);
            let left = deadline.saturating_sub(self.now().as_micros()).min(1_000_000_000);
            match self.news.1.recv_timeout(Duration::from_micros(left)) {
                Ok(news) => news(self),
                Err(_) => self.machine.handle_timeout(self.now()),
            }
        }
    }

    fn handle(&mut self, output: Output) {
        match output {
            Output::Connect { link, dial, .. } => {
                let news = self.news.0.clone();
                thread::spawn(move || {
                    let why =
                        serve(link, &dial, &news).err().map_or("the server closed it".into(), |it| it.to_string());
                    let _ = news.send(Box::new(move |host| host.machine.handle_link_lost(host.now(), link, why)));
                });
            }
            Output::Transmit { link } => self.transmit(link),
            Output::Close { link } => drop(self.sockets.remove(&link).map(|socket| socket.shutdown(Shutdown::Both))),
            _ => {}
        }
    }

    fn transmit(&mut self, link: LinkId) {
        while let Some(out) = self.machine.transmit(link).filter(|out| !out.is_empty()) {
            let (count, socket) = (out.first().len(), self.sockets.get_mut(&link).expect("it is connected"));
            match socket.write_all(out.first()) {
                Ok(()) => self.machine.transmitted(link, count),
                Err(error) => return self.machine.handle_link_lost(self.now(), link, error.to_string()),
            }
        }
    }
}

fn serve(link: LinkId, dial: &Dial, news: &Sender<News>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect((dial.host.as_str(), dial.port))?;
    let writing = socket.try_clone()?;
    let connected = move |host: &mut Host| {
        host.sockets.insert(link, writing);
        host.machine.handle_connected(host.now(), link, None);
    };
    let _ = news.send(Box::new(connected));
    let mut buffer = vec![0; 1 << 16];
    while let count @ 1.. = socket.read(&mut buffer)? {
        let bytes = buffer[..count].to_vec();
        let _ = news.send(Box::new(move |host| host.machine.handle_received(host.now(), link, &bytes)));
    }
    Ok(())
}

fn main() {
    let uri = std::env::args().nth(1).unwrap_or("hotrod://127.0.0.1:11222/dist".into()).parse().expect("a URI");
    let machine = Cluster::new(Config::from_uri(&uri).expect("settings"), [7; 32], Instant::EPOCH);
    let mut host = Host { machine, began: Clock::now(), sockets: HashMap::new(), news: channel() };
    let cache = host.machine.cache(host.now(), RequestOptions::cache(uri.cache.unwrap_or_default()));
    let (key, value) = ("greeting".into(), "hello from my own sockets".into());
    host.execute(&cache, Request::Put { key, expiration: Expiration::DEFAULT, value });
    let Body::Value(value) = host.execute(&cache, Request::Get { key: "greeting".into() }).body else { return };
    println!("{}", String::from_utf8_lossy(&value));
}
