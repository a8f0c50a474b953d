//! The spans of a whole study: who belongs to whom, and that nothing is missing.

use aar_scripted::collector::{Collector, Told};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every researcher's spans form one tree: sessions below the researcher, calls and tools below sessions, jobs below evaluations.
pub fn form_trees(collector: &Collector, result: &Value) {
    let told = collector.told();
    let ids: BTreeMap<(&str, &str), &Told> =
        told.iter().map(|told| ((told.text("traceId"), told.text("spanId")), told)).collect();
    assert_eq!(ids.len(), told.len(), "no span is told twice");
    let parent = |told: &Told| ids.get(&(told.text("traceId"), told.text("parentSpanId"))).copied();
    for researcher in result["researchers"].as_array().unwrap() {
        let name = researcher["name"].as_str().unwrap();
        let own = told.iter().filter(|told| told.attribute("gen_ai.agent.name")["stringValue"] == name);
        let operation = |told: &Told, name: &str| told.attribute("gen_ai.operation.name")["stringValue"] == name;
        let (agents, others): (Vec<&Told>, Vec<&Told>) = own.partition(|told| operation(told, "invoke_agent"));
        let (roots, sessions): (Vec<&Told>, Vec<&Told>) =
            agents.into_iter().partition(|told| told.attribute("gen_ai.conversation.id").is_null());
        let [root] = roots.as_slice() else { panic!("{name}: {roots:?}") };
        assert!(root.text("parentSpanId").is_empty() && root.service == "aar-study", "{root:?}");
        let below =
            |told: &Told, of: &Told| parent(told).is_some_and(|parent| parent.text("spanId") == of.text("spanId"));
        assert_eq!(sessions.len() as u64, researcher["sessions"].as_u64().unwrap(), "{name}");
        assert!(sessions.iter().all(|session| below(session, root)), "{name}: {sessions:?}");

        let in_session = |told: &Told| sessions.iter().any(|session| below(told, session));
        let (calls, others): (Vec<&Told>, Vec<&Told>) = others.into_iter().partition(|told| operation(told, "chat"));
        assert_eq!(calls.len() as u64, researcher["spending"]["calls"].as_u64().unwrap(), "{name}");
        assert!(calls.iter().all(|call| call.service == "aar-gateway" && in_session(call)), "{name}");
        let (tools, evaluations): (Vec<&Told>, Vec<&Told>) =
            others.into_iter().partition(|told| operation(told, "execute_tool"));
        assert!(tools.iter().all(|tool| in_session(tool)), "{name}: {tools:?}");
        assert!(tools.iter().filter(|tool| tool.text("name") == "execute_tool submit").count() >= 2, "{name}");
        assert!(evaluations.len() >= 2 && evaluations.iter().all(|told| below(told, root)), "{name}: {evaluations:?}");
    }
    let jobs: Vec<&Told> = told.iter().filter(|told| told.text("name").starts_with("job ")).collect();
    assert!(jobs.len() >= 18, "one of each submission at least: {}", jobs.len());
    let of_an_evaluation =
        |job: &&Told| parent(job).is_some_and(|parent| !parent.attribute("aar.evaluation").is_null());
    assert!(jobs.iter().all(of_an_evaluation), "{jobs:?}");
    let text = format!("{told:?}");
    assert!(!text.contains(crate::policy::HOSTILE) && !text.contains(crate::KEY), "nothing that was said is in a span");
}
