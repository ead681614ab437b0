//! `quadrille explain`: why there is no plan.

use super::Exit;
use super::Failure;
use super::input::Reading;
use super::limits::Limits;
use super::output;
use super::term::Terminal;
use quadrille::Instance;
use quadrille::Options;
use quadrille::PlanError;
use quadrille::Status;
use quadrille::explain;
use quadrille::model::NodeId;
use quadrille::model::VmId;
use quadrille::render;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance; `-` for standard input.
    instance: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    limits: Limits,
    /// Why does this VM move, and why to where it goes?
    #[arg(long, value_name = "VM")]
    vm: Option<String>,
    /// With --vm: why not to this node, and what would it cost?
    #[arg(long, value_name = "NODE", requires = "vm")]
    to: Option<String>,
    /// What does the action of the plan with this number (from 0, as in the JSON) wait for?
    #[arg(long, value_name = "K")]
    action: Option<u32>,
    /// Why is there no better plan: the lower bound on relocations as a sum.
    #[arg(long)]
    bound: bool,
    /// How to print the answer; without it the name of the output decides (`.json`, `.dot`),
    /// and else it is text.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write, instead of standard output; compressed where the name ends in `.gz`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Conflicts in words, one line a member.
    Text,
    /// One document.
    Json,
    /// The conflicts as a graph, for Graphviz.
    Dot,
}

impl Arguments {
    /// Is something asked about the plan?
    fn asks(&self) -> bool {
        self.vm.is_some() || self.action.is_some() || self.bound
    }

    fn format(&self) -> Format {
        self.format.unwrap_or_else(|| match output::ending(self.output.as_deref()).as_str() {
            "json" => Format::Json,
            "dot" | "gv" => Format::Dot,
            _ => Format::Text,
        })
    }
}

fn fault(arguments: &Arguments, error: PlanError) -> Failure {
    match error {
        PlanError::Input(_) => super::input::fault(&arguments.instance, error),
        PlanError::Internal(_) => Failure::internal(error),
    }
}

/// Answers what is asked about the plan; `None` where there is none.
fn answer(instance: &Instance, arguments: &Arguments, options: &Options) -> Result<Option<Exit>, Failure> {
    let unknown = |what: &str, name: &str| Failure::input(format!("there is no {what} `{name}`"));
    let vm = arguments
        .vm
        .as_ref()
        .map(|name| instance.vms().find(name).map(VmId::from_index).ok_or_else(|| unknown("VM", name)));
    let vm = vm.transpose()?;
    let to = arguments
        .to
        .as_ref()
        .map(|name| instance.nodes().find(name).map(NodeId::from_index).ok_or_else(|| unknown("node", name)));
    let to = to.transpose()?;
    let outcome = quadrille::solve(instance, options).map_err(|error| fault(arguments, error))?;
    let Some(plan) = &outcome.plan else {
        return match outcome.status {
            Status::Infeasible => Ok(None),
            _ => Err(Failure {
                exit: Exit::Unknown,
                message: "no plan found, and no proof that none exists: there is nothing to ask about"
                    .to_owned(),
            }),
        };
    };
    let mut text = String::new();
    let mut answers = render::Answers::new();
    if let Some(vm) = vm {
        text.push_str(&render::why_vm(instance, plan, vm));
        answers.vm(instance, plan, vm);
        if let Some(node) = to {
            let why = explain::why_not(instance, &outcome, vm, node, options)
                .map_err(|error| fault(arguments, error))?;
            let wish = explain::with_wish(instance, vm, node);
            text.push_str(&render::why_not(&wish, vm, node, &why));
            answers.not(&wish, vm, node, &why);
        }
    }
    if let Some(action) = arguments.action {
        if action as usize >= plan.actions.len() {
            let count = plan.actions.len();
            return Err(Failure::input(format!("there is no action {action}: the plan has {count}, from 0")));
        }
        let waits = explain::waits_for(instance, plan, action);
        text.push_str(&render::why_action(instance, plan, action, &waits));
        answers.action(instance, plan, action, &waits);
    }
    if arguments.bound {
        let parts = explain::bound(instance).map_err(|error| fault(arguments, error))?;
        text.push_str(&render::why_bound(instance, &parts, &outcome.levels));
        answers.bound(instance, &parts, &outcome.levels);
    }
    let text = match arguments.format() {
        Format::Text => text,
        Format::Json => render::json_text(&answers.document()),
        Format::Dot => return Err(Failure::input("only conflicts can be drawn; expected text or json")),
    };
    output::text(arguments.output.as_deref(), &text)?;
    Ok(Some(Exit::Done))
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    output::probe(arguments.output.as_deref())?;
    let (instance, origins) = arguments.reading.instance_with_origins(&arguments.instance, terminal)?;
    let options = arguments.limits.options();
    if arguments.asks()
        && let Some(exit) = answer(&instance, arguments, &options)?
    {
        return Ok(exit);
    }
    let fault = |error| fault(arguments, error);
    let mut explanation = explain::explain(&instance, &options).map_err(fault)?;
    for conflict in &mut explanation.conflicts {
        origins.tell(&instance, conflict, terminal);
    }
    let text = match arguments.format() {
        Format::Text => render::explanation(&instance, &explanation),
        Format::Json => render::json_text(&render::explanation_json(&instance, &explanation)),
        Format::Dot => render::explanation_dot(&instance, &explanation),
    };
    output::text(arguments.output.as_deref(), &text)?;
    let exit = match explanation.status {
        Status::Optimal | Status::Feasible => Exit::Done,
        Status::Infeasible => Exit::Infeasible,
        Status::Unknown => Exit::Unknown,
    };
    std::mem::forget((instance, explanation));
    Ok(exit)
}
