//! What is said to a language model and what it says, in one form for every wire format.
//!
//! [`conversation`] has the nouns; [`wire`] turns them into the JSON of a provider and back ([`messages`], [`chat`],
//! [`responses`]), [`stream`] puts together an answer that comes piece by piece, [`transcript`] has
//! the lines in which exchanges are kept, [`trace`] says where a call belongs in a trace. The room does no input or output:
//! whoever carries the bytes (an agent inside, the gateway outside, a scripted endpoint in tests) brings its own client.

pub mod conversation;
pub mod wire;

pub mod chat;
pub mod messages;
pub mod responses;

pub mod stream;

pub mod transcript;

pub mod trace;

mod json;
