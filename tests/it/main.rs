//! Tests of the whole: the planner against brute force, properties, scenarios, files.

mod brute;
mod cli;
mod common;
mod corpus;
mod fmt;
mod generate;
mod lint;
mod lsp;
mod manual;
mod nodes_on;
mod oracle;
mod properties;
mod replay;
mod scenario_checker;
mod scenario_files;
mod scenario_model;
mod scenario_parts;
mod scenario_rules;
mod scenario_states;
mod script;
mod script_command;
mod script_files;
mod tampered;
mod tidy;
mod timed;
