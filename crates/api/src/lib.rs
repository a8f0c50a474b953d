//! What crosses the wall: bodies, paths, errors, and (feature client) a client.
