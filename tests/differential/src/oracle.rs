//! Infinispan's request decoder, in a Java process of its own.

use std::ffi::OsString;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use infinispan_harness::{DEFAULT_VERSION, install, spawn_to_die_with_us};
use tempfile::TempDir;

use crate::{Error, Mutant};

/// What the decoder did with some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It executes a request, which ends after so many bytes of the stream.
    Request {
        /// Bytes consumed so far.
        consumed: usize,
        /// The opcode.
        opcode: u8,
        /// The message id.
        message_id: u64,
    },
    /// It answers with an error and goes on behind so many bytes.
    Exception {
        /// Bytes consumed so far.
        consumed: usize,
        /// The exception.
        text: String,
    },
    /// It closes the connection, and goes on with what it has received.
    Closed {
        /// Bytes consumed so far.
        consumed: usize,
    },
    /// It waits for more bytes.
    Waits,
}

/// A running oracle; its process ends with it.
pub struct Oracle {
    process: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    _classes: TempDir,
}

impl Oracle {
    /// Compiles and starts it, with the classes of the server that the tests run against.
    pub fn start() -> Result<Self, Error> {
        let jars = install(DEFAULT_VERSION)?.join("*");
        let classes = tempfile::tempdir().map_err(Error::io("a folder for classes"))?;
        compile(&jars, classes.path())?;
        let mut java = Command::new("java");
        java.args([
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:-OmitStackTraceInFastThrow",
            "-Dlog4j2.level=OFF",
            "-Dlog4j2.StatusLogger.level=OFF",
            "-cp",
        ]);
        java.arg(class_path(&[classes.path(), &jars])).arg("org.infinispan.server.hotrod.Oracle");
        java.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = spawn_to_die_with_us(java).map_err(Error::io("java"))?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err(Error::io("java")(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { process, input: Some(BufWriter::new(input)), output: BufReader::new(output), _classes: classes })
    }

    /// What it does with each of these streams: received whole, and in pieces.
    pub fn ask(&mut self, mutants: &[Mutant]) -> Result<Vec<[Vec<Event>; 2]>, Error> {
        let failed = Error::io("the oracle");
        // It answers while it is written to: neither side may wait for the other.
        std::thread::scope(|scope| {
            let Self { input: Some(input), output, .. } = self else { return Ok(Vec::new()) };
            let writer = scope
                .spawn(move || mutants.iter().try_for_each(|mutant| write(mutant, input)).and_then(|()| input.flush()));
            let answers = mutants.iter().map(|_| Ok([read_events(output)?, read_events(output)?]));
            let answers = answers.collect::<std::io::Result<Vec<_>>>();
            match writer.join() {
                Ok(Err(error)) => Err(error),
                _ => answers,
            }
        })
        .map_err(failed)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends at the end of its input; if it hangs its process is killed.
        self.input = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn compile(jars: &Path, classes: &Path) -> Result<(), Error> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/java/org/infinispan/server/hotrod/Oracle.java");
    let mut javac = Command::new("javac");
    javac.args(["-proc:none", "-nowarn", "-cp"]).arg(jars).arg("-d").arg(classes).arg(source);
    let output = javac.output().map_err(Error::io("javac (Debian package openjdk-17-jdk-headless)"))?;
    if output.status.success() { Ok(()) } else { Err(Error::Compile(String::from_utf8_lossy(&output.stderr).into())) }
}

fn class_path(parts: &[&Path]) -> OsString {
    parts.iter().map(|part| part.as_os_str()).collect::<Vec<_>>().join(":".as_ref())
}

fn write(mutant: &Mutant, out: &mut impl Write) -> std::io::Result<()> {
    out.write_all(&(mutant.bytes.len() as u32).to_be_bytes())?;
    out.write_all(&mutant.bytes)?;
    out.write_all(&[mutant.cuts.len() as u8])?;
    mutant.cuts.iter().try_for_each(|cut| out.write_all(&(*cut as u32).to_be_bytes()))
}

fn read<const N: usize>(input: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_events(input: &mut impl Read) -> std::io::Result<Vec<Event>> {
    let count = u16::from_be_bytes(read(input)?);
    (0..count).map(|_| read_event(input)).collect()
}

fn read_event(input: &mut impl Read) -> std::io::Result<Event> {
    let [kind] = read(input)?;
    let consumed = u32::from_be_bytes(read(input)?) as usize;
    let [opcode] = read(input)?;
    let message_id = u64::from_be_bytes(read(input)?);
    let mut text = vec![0; u16::from_be_bytes(read(input)?).into()];
    input.read_exact(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(match kind {
        0 => Event::Request { consumed, opcode, message_id },
        1 => Event::Exception { consumed, text },
        2 => Event::Closed { consumed },
        _ => Event::Waits,
    })
}
