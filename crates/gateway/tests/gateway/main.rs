//! The gateway between callers on its socket and a scripted endpoint.

mod calls;
mod faults;
mod hidden;
mod operator;
mod pace;
mod schedules;
mod team;
mod telemetry;
