//! An ordinary address on loopback that leads through one unix socket: what agents that know no unix sockets are given.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The port inside a sandbox, which has a loopback of its own.
pub const PORT: u16 = 8787;

/// Listen on `port` (0: any free one) and lead every connection to `socket`, as long as the process lives. Returns the port.
pub fn open(port: u16, socket: &Path) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let bound = listener.local_addr()?.port();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let socket = socket.clone();
            std::thread::spawn(move || lead(caller, socket));
        }
    });
    Ok(bound)
}

/// Bytes both ways until both sides are done. A caller that nobody answers sees its connection closed.
fn lead(caller: TcpStream, socket: PathBuf) -> io::Result<()> {
    let door = UnixStream::connect(socket)?;
    let (mut from, mut to) = (caller.try_clone()?, door.try_clone()?);
    let asking = std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &door, &mut &caller);
    let _ = caller.shutdown(Shutdown::Write);
    let _ = asking.join();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    #[test]
    fn bytes_go_both_ways_and_an_end_is_passed_on() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let port = open(0, &socket).unwrap();
        std::thread::spawn(move || {
            for mut caller in listener.incoming().flatten() {
                let mut asked = String::new();
                caller.read_to_string(&mut asked).unwrap();
                caller.write_all(format!("heard {asked}").as_bytes()).unwrap();
            }
        });
        for word in ["one", "two"] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(word.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, format!("heard {word}"));
        }
    }

    #[test]
    fn a_door_that_is_shut_closes_the_connection() {
        let dir = tempfile::tempdir().unwrap();
        let port = open(0, &dir.path().join("nothing.sock")).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut answer = String::new();
        assert!(stream.read_to_string(&mut answer).is_err() || answer.is_empty());
    }
}
