//! A language model as a researcher.
//!
//! [`researcher`] starts session after session until budget, clock or evaluations end. A [`session`] asks the [`model`] and runs the
//! [`tools`] it calls, in a conversation that [`compaction`] keeps short. What outlives a session is the notebook and the notes of
//! [`memory`] and the [`forum`]'s posts as files. Whatever others wrote passes the [`fence`]. [`heartbeat`] and [`events`] tell the
//! outside what is going on. [`mcp`] offers the same list of tools to any other agent, and [`outside`] runs one in a researcher's place.
//!
//! The room runs inside a researcher's sandbox: it knows the public half of a testbed, the server's API and a model's address.

pub mod arguments;
pub mod cap;
pub mod compaction;
pub mod desk;
pub mod events;
pub mod fence;
pub mod forum;
pub mod heartbeat;
pub mod http;
pub mod mcp;
pub mod memory;
pub mod model;
pub mod operator;
pub mod outside;
pub mod process;
pub mod prompt;
pub mod relay;
pub mod repetition;
pub mod researcher;
pub mod retry;
pub mod session;
pub mod settings;
pub mod tools;
