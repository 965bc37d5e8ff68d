//! Queries a member's SASL mechanisms before a client's session begins on the connection.

use std::io;

use bytes::BytesMut;
use hotrod_core::wire::{
    Body, Envelope, Incoming, Intelligence, Limits, Operation, ReplyContext, ReplyDecoder, Request, RequestOptions,
    SendBuffer, Version, write_request,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The oldest version that has AUTH_MECH_LIST, so every member knows it.
const VERSION: Version = Version::V2_0;
/// The largest reply, in bytes.
const LONGEST_REPLY: usize = 16 << 10;

/// Returns the mechanisms that the member offers on this connection. Leaves no request and no byte of a reply on it.
///
/// Fails at an error reply, and at other bytes than one reply.
pub(crate) async fn offered(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Vec<String>> {
    let asked =
        ReplyContext { operation: Operation::AuthMechList, version: VERSION, intelligence: Intelligence::Basic };
    let envelope = Envelope { message_id: 1, version: VERSION, intelligence: Intelligence::Basic, topology_id: 0 };
    let mut request = SendBuffer::new();
    write_request(envelope, &RequestOptions::default(), &Request::AuthMechList {}, &mut request);
    stream.write_all(&request.to_bytes()).await?;
    stream.flush().await?;
    let mut limits = Limits::default();
    limits.message = LONGEST_REPLY;
    let mut decoder = ReplyDecoder::new(limits);
    let mut received = BytesMut::with_capacity(1024);
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        decoder.receive(&received.split());
        match decoder.poll(|id| (id == 1).then_some(asked)) {
            None => {}
            Some(Ok(Incoming::Reply(reply))) if decoder.buffered() == 0 => {
                return match reply.body {
                    Body::Names(mechanisms) => Ok(mechanisms),
                    other => Err(unusable(format!("the member answers AUTH_MECH_LIST with {other:?}"))),
                };
            }
            Some(Ok(_)) => return Err(unusable("the member answers AUTH_MECH_LIST with more than its reply")),
            Some(Err(violation)) => return Err(unusable(violation)),
        }
    }
}

fn unusable(problem: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.to_string())
}
