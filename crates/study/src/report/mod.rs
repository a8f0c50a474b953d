//! placeholder
use crate::plan::Plan; use crate::result::StudyResult; use aar_domain::testbed::TestbedRecord; use aar_server::Server;
/// The page.
pub fn page(_: &StudyResult, _: &Plan, _: &TestbedRecord, _: &Server) -> String { String::new() }
