//! Instances written as text, and what is expected of their plans.

use crate::replay;
use quadrille::Instance;
use quadrille::InstanceBuilder;
use quadrille::Objective;
use quadrille::Options;
use quadrille::Outcome;
use quadrille::Plan;
use quadrille::Status;
use quadrille::constraint;
use quadrille::constraint::Argument;
use quadrille::constraint::Constraint;
use quadrille::constraint::Kind;
use quadrille::constraint::Parameter;
use quadrille::constraint::Ratio;
use quadrille::model::Action;
use quadrille::model::ActionKind;
use quadrille::model::Network;
use quadrille::model::NodeId;
use quadrille::model::NodeSet;
use quadrille::model::Place;
use quadrille::model::Value;
use quadrille::model::VmId;
use quadrille::model::VmSet;
use quadrille::verify::VerifyOptions;
use quadrille::verify::verify;
use std::fmt;

/// Steps that no test instance should need.
const STEPS: u64 = 100_000;

/// A node of a [`Spec`].
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) online: bool,
}

/// A VM of a [`Spec`].
#[derive(Clone, Debug)]
pub(crate) struct VmSpec {
    pub(crate) name: String,
    /// Nodes by their index in the spec.
    pub(crate) place: Place,
}

/// A resource of a [`Spec`].
#[derive(Clone, Debug)]
pub(crate) struct ResourceSpec {
    pub(crate) name: String,
    pub(crate) capacity: Vec<u64>,
    pub(crate) demand: Vec<u64>,
}

/// An instance that can be changed, permuted and printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) vms: Vec<VmSpec>,
    pub(crate) resources: Vec<ResourceSpec>,
    /// (element, key, value)
    pub(crate) attributes: Vec<(String, String, Value)>,
    /// See [`Spec::rule`].
    pub(crate) rules: Vec<String>,
    pub(crate) objective: Option<String>,
    pub(crate) horizon: Option<u64>,
    pub(crate) strict: bool,
    /// Mbit/s of the link of each node to a switch that is never in the way, if there is one.
    pub(crate) star: Option<Vec<u64>>,
}

/// Reads `n0: a b | n1: c | off: n2 | ready: d | sleeping n1: e | init: f`.
pub(crate) fn cluster(text: &str) -> Spec {
    let mut spec = Spec::default();
    let mut later: Vec<(String, String)> = Vec::new();
    for part in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
        let (head, names) = part.split_once(':').unwrap_or((part, ""));
        let head = head.trim();
        let mut add = |place: Place| {
            for name in names.split_whitespace() {
                spec.vms.push(VmSpec { name: name.to_owned(), place });
            }
        };
        match head {
            "off" => {
                for name in names.split_whitespace() {
                    spec.nodes.push(NodeSpec { name: name.to_owned(), online: false });
                }
            }
            "ready" => add(Place::Ready),
            "init" => add(Place::Init),
            _ => match head.strip_prefix("sleeping ") {
                Some(node) => later.push((node.trim().to_owned(), names.to_owned())),
                None => {
                    let node = NodeId::from_index(spec.nodes.len());
                    add(Place::Running(node));
                    spec.nodes.push(NodeSpec { name: head.to_owned(), online: true });
                }
            },
        }
    }
    for (node, names) in later {
        let at = spec.nodes.iter().position(|other| other.name == node).expect("a known node");
        for name in names.split_whitespace() {
            let place = Place::Sleeping(NodeId::from_index(at));
            spec.vms.push(VmSpec { name: name.to_owned(), place });
        }
    }
    spec
}

impl Spec {
    /// Adds a resource: `nodes=4 vms=1 n0=8 a=2` (both defaults are 0).
    pub(crate) fn resource(mut self, name: &str, amounts: &str) -> Self {
        let mut resource = ResourceSpec {
            name: name.to_owned(),
            capacity: vec![0; self.nodes.len()],
            demand: vec![0; self.vms.len()],
        };
        for pair in amounts.split_whitespace() {
            let (key, amount) = pair.split_once('=').expect("name=amount");
            let amount: u64 = amount.parse().expect("a number");
            match key {
                "nodes" => resource.capacity.fill(amount),
                "vms" => resource.demand.fill(amount),
                _ => {
                    let node = self.nodes.iter().position(|node| node.name == key);
                    let vm = self.vms.iter().position(|vm| vm.name == key);
                    match (node, vm) {
                        (Some(at), _) => resource.capacity[at] = amount,
                        (None, Some(at)) => resource.demand[at] = amount,
                        (None, None) => panic!("nothing is called {key}"),
                    }
                }
            }
        }
        self.resources.push(resource);
        self
    }

    /// The resource `cpu`; see [`Spec::resource`].
    pub(crate) fn cpu(self, amounts: &str) -> Self {
        self.resource("cpu", amounts)
    }

    /// Adds rules: `name argument argument; continuous; soft 3`. Sets are `a,b`, all
    /// is `*`, none is `-`, sets of sets are `a,b/c`, the default is `_`.
    pub(crate) fn rules(mut self, rules: &[&str]) -> Self {
        self.rules.extend(rules.iter().map(|&rule| rule.to_owned()));
        self
    }

    /// Adds a rule.
    pub(crate) fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rules.push(rule.into());
        self
    }

    /// Sets a number as attribute of VMs or nodes: `a.migrate=5 n0.boot=3`.
    pub(crate) fn takes(mut self, attributes: &str) -> Self {
        for item in attributes.split_whitespace() {
            let (what, value) = item.split_once('=').expect("element.key=value");
            let (element, key) = what.split_once('.').expect("element.key");
            let value = Value::Int(value.parse().expect("a number"));
            self.attributes.push((element.to_owned(), key.to_owned(), value));
        }
        self
    }

    /// Lets VMs be made, or made again, from a template.
    pub(crate) fn cloneable(mut self, names: &str) -> Self {
        for name in names.split_whitespace() {
            self.attributes.push((name.to_owned(), "clone".to_owned(), Value::Bool(true)));
            self.attributes.push((name.to_owned(), "template".to_owned(), Value::Text("small".into())));
        }
        self
    }

    /// Sets the objective.
    pub(crate) fn minimise(mut self, objective: &str) -> Self {
        self.objective = Some(objective.to_owned());
        self
    }

    /// Sets the last moment at which a plan may end.
    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.horizon = Some(seconds);
        self
    }

    /// Refuses a source that breaks a continuous rule.
    pub(crate) fn strictly(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The instance.
    pub(crate) fn build(&self) -> Instance {
        let mut b = InstanceBuilder::new();
        for node in &self.nodes {
            if node.online {
                b.node(&node.name);
            } else {
                b.offline_node(&node.name);
            }
        }
        for vm in &self.vms {
            b.vm(&vm.name, vm.place);
        }
        for resource in &self.resources {
            let id = b.resource(&resource.name);
            for (at, &amount) in resource.capacity.iter().enumerate() {
                b.capacity(NodeId::from_index(at), id, amount);
            }
            for (at, &amount) in resource.demand.iter().enumerate() {
                b.demand(VmId::from_index(at), id, amount);
            }
        }
        for (element, key, value) in &self.attributes {
            match (b.vm_named(element), b.node_named(element)) {
                (Some(vm), _) => b.vm_attribute(vm, key, value.clone()),
                (None, Some(node)) => b.node_attribute(node, key, value.clone()),
                (None, None) => panic!("nothing is called {element}"),
            };
        }
        if let Some(star) = &self.star {
            let mut network = Network::star(star.len() as u32, 1);
            network.links.iter_mut().zip(star).for_each(|(link, &capacity)| link.capacity = capacity);
            b.network(network);
        }
        if let Some(objective) = &self.objective {
            b.objective(objective.parse::<Objective>().expect("an objective"));
        }
        let mut instance = b.build().unwrap_or_else(|error| panic!("{error}\n{self}"));
        for rule in &self.rules {
            let constraint = parse_rule(&instance, rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
            instance.add_constraint(constraint);
        }
        instance
    }

    /// How tests ask for a plan.
    pub(crate) fn options(&self) -> Options {
        Options {
            threads: Some(1),
            step_limit: Some(STEPS),
            horizon: self.horizon,
            strict: self.strict,
            ..Options::default()
        }
    }

    /// What verification is told.
    pub(crate) fn verify_options(&self) -> VerifyOptions {
        VerifyOptions { strict: self.strict, horizon: self.horizon }
    }

    /// Asks for a plan. Whatever comes back is checked: a plan passes verification and
    /// the naive replay, an answer without a plan says so.
    pub(crate) fn solve(&self) -> Answer {
        let instance = self.build();
        let outcome = quadrille::solve(&instance, &self.options())
            .unwrap_or_else(|error| panic!("{error}\nfor\n{self}"));
        let answer = Answer { spec: self.clone(), instance, outcome };
        answer.check();
        answer
    }

    /// Expects a plan.
    pub(crate) fn plan(&self) -> Answer {
        let answer = self.solve();
        assert!(answer.outcome.plan.is_some(), "a plan is expected, not {answer}");
        answer
    }

    /// Expects the proof that there is no plan.
    pub(crate) fn no_plan(&self) -> Answer {
        let answer = self.solve();
        assert_eq!(answer.outcome.status, Status::Infeasible, "no plan is expected, but {answer}");
        answer
    }
}

/// As the calls that build it.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let names = |wanted: Place| {
            let vms = self.vms.iter().filter(|vm| vm.place == wanted);
            vms.map(|vm| format!(" {}", vm.name)).collect::<String>()
        };
        for (at, node) in self.nodes.iter().enumerate() {
            if node.online {
                let guests = names(Place::Running(NodeId::from_index(at)));
                parts.push(format!("{}:{guests}", node.name));
            } else {
                parts.push(format!("off: {}", node.name));
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            let images = names(Place::Sleeping(NodeId::from_index(at)));
            if !images.is_empty() {
                parts.push(format!("sleeping {}:{images}", node.name));
            }
        }
        for (word, place) in [("ready", Place::Ready), ("init", Place::Init)] {
            let vms = names(place);
            if !vms.is_empty() {
                parts.push(format!("{word}:{vms}"));
            }
        }
        write!(f, "cluster({:?})", parts.join(" | "))?;
        for resource in &self.resources {
            let nodes = self.nodes.iter().map(|node| &node.name).zip(&resource.capacity);
            let vms = self.vms.iter().map(|vm| &vm.name).zip(&resource.demand);
            let amounts: Vec<String> =
                nodes.chain(vms).map(|(name, amount)| format!("{name}={amount}")).collect();
            write!(f, "\n    .resource({:?}, {:?})", resource.name, amounts.join(" "))?;
        }
        for (element, key, value) in &self.attributes {
            match value {
                Value::Int(value) => write!(f, "\n    .takes(\"{element}.{key}={value}\")")?,
                other => write!(f, "\n    // {element}.{key} is {other:?}")?,
            }
        }
        if !self.rules.is_empty() {
            write!(f, "\n    .rules(&{:?})", self.rules)?;
        }
        if let Some(star) = &self.star {
            write!(f, "\n    // links of {star:?} Mbit/s")?;
        }
        if let Some(objective) = &self.objective {
            write!(f, "\n    .minimise({objective:?})")?;
        }
        if let Some(horizon) = self.horizon {
            write!(f, "\n    .within({horizon})")?;
        }
        if self.strict {
            write!(f, "\n    .strictly()")?;
        }
        Ok(())
    }
}

/// Reads a rule; see [`Spec::rules`].
pub(crate) fn parse_rule(instance: &Instance, text: &str) -> Result<Constraint, String> {
    let mut parts = text.split(';').map(str::trim);
    let mut words = parts.next().unwrap_or_default().split_whitespace();
    let name = words.next().ok_or("a rule has a name")?;
    let signature = constraint::signature(name).ok_or_else(|| format!("there is no rule `{name}`"))?;
    let mut arguments = Vec::new();
    for parameter in (signature.parameters)() {
        arguments.push(match (words.next(), parameter.default) {
            (Some("_") | None, Some(default)) => default(),
            (Some(word), _) => argument(instance, &parameter, word)?,
            (None, None) => return Err(format!("`{}` is missing", parameter.name)),
        });
    }
    if let Some(word) = words.next() {
        return Err(format!("`{word}` is too much"));
    }
    let rule = (signature.build)(&arguments)?;
    let restriction = signature.restrictions.default();
    let mut made = Constraint { rule, restriction, strength: constraint::Strength::Hard };
    for part in parts {
        made = match part.split_once(' ') {
            Some(("soft", penalty)) => made.soft(penalty.parse().map_err(|_| "a penalty")?)?,
            _ if part == "continuous" => made.continuous()?,
            _ if part == "discrete" => made.discrete()?,
            _ => return Err(format!("`{part}` says nothing")),
        };
    }
    Ok(made)
}

fn argument(instance: &Instance, parameter: &Parameter, word: &str) -> Result<Argument, String> {
    let vm = |name: &str| {
        instance.vms().find(name).map(VmId::from_index).ok_or_else(|| format!("no VM is called {name}"))
    };
    let node = |name: &str| {
        instance.nodes().find(name).map(NodeId::from_index).ok_or_else(|| format!("no node is called {name}"))
    };
    let list = |text: &str| -> Result<Vec<VmId>, String> {
        match text {
            "*" => Ok(instance.vm_ids().collect()),
            "-" => Ok(Vec::new()),
            _ => text.split(',').map(vm).collect(),
        }
    };
    let vms = |text: &str| -> Result<VmSet, String> {
        let mut vms = list(text)?;
        vms.sort_unstable();
        vms.dedup();
        Ok(vms.into())
    };
    let nodes = |text: &str| -> Result<NodeSet, String> {
        let mut nodes: Vec<NodeId> = match text {
            "*" => instance.node_ids().collect(),
            "-" => Vec::new(),
            _ => text.split(',').map(node).collect::<Result<_, _>>()?,
        };
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes.into())
    };
    Ok(match parameter.kind {
        Kind::Vm => Argument::Vm(vm(word)?),
        Kind::Node => Argument::Node(node(word)?),
        Kind::Vms => Argument::Vms(vms(word)?),
        Kind::VmList => Argument::VmList(list(word)?.into()),
        Kind::Nodes => Argument::Nodes(nodes(word)?),
        Kind::VmSets if word == "-" => Argument::VmSets([].into()),
        Kind::VmSets => Argument::VmSets(word.split('/').map(vms).collect::<Result<Vec<_>, _>>()?.into()),
        Kind::NodeSets if word == "-" => Argument::NodeSets([].into()),
        Kind::NodeSets => {
            Argument::NodeSets(word.split('/').map(nodes).collect::<Result<Vec<_>, _>>()?.into())
        }
        Kind::Resource => Argument::Resource(
            instance.resource_named(word).ok_or_else(|| format!("no resource is called {word}"))?,
        ),
        Kind::Amount => Argument::Amount(word.parse().map_err(|_| format!("{word} is no amount"))?),
        Kind::Ratio => Argument::Ratio(Ratio::new(word.parse().map_err(|_| format!("{word} is no ratio"))?)?),
        Kind::Time => Argument::Time(word.parse()?),
        Kind::Word(_) => Argument::Word(word.to_owned()),
    })
}

/// What the planner said of a [`Spec`].
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) spec: Spec,
    pub(crate) instance: Instance,
    pub(crate) outcome: Outcome,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.outcome.status.name(), self.outcome.stop_reason.name())?;
        for level in &self.outcome.levels {
            writeln!(f, "{} = {} (bound {})", level.level, level.value, level.bound)?;
        }
        if let Some(plan) = &self.outcome.plan {
            for line in lines(&self.instance, plan) {
                writeln!(f, "    {line}")?;
            }
        }
        if let Some(conflict) = &self.outcome.conflict {
            writeln!(f, "because {}", quadrille::render::clash(&self.instance, conflict))?;
        }
        write!(f, "for\n{}", self.spec)
    }
}

impl Answer {
    /// The answer is consistent with itself, and its plan with the instance.
    fn check(&self) {
        let outcome = &self.outcome;
        let has_plan = matches!(outcome.status, Status::Optimal | Status::Feasible);
        assert_eq!(has_plan, outcome.plan.is_some(), "status and plan differ: {self}");
        let Some(plan) = &outcome.plan else {
            assert!(outcome.levels.is_empty(), "levels without a plan: {self}");
            return;
        };
        let report = verify(&self.instance, plan, &self.spec.verify_options());
        assert!(report.is_ok(), "the plan is refused: {:?}\n{self}", report.findings);
        let faults = replay::faults(&self.instance, plan, replay::Clock::Own);
        assert!(faults.is_empty(), "the plan is wrong: {faults:?}\n{self}");
        let metrics = quadrille::model::Metrics::of(&self.instance, plan);
        assert_eq!(metrics, outcome.metrics, "figures of another plan: {self}");
        let wanted = match &self.spec.objective {
            Some(text) => text.parse::<Objective>().expect("an objective"),
            None => Objective::default(),
        };
        assert_eq!(outcome.levels.len(), wanted.levels.len(), "levels of another objective: {self}");
        for (at, level) in outcome.levels.iter().enumerate() {
            let mut value: u64 =
                level.level.terms.iter().map(|&(weight, m)| u64::from(weight) * metrics.get(m)).sum();
            if at == 0 {
                value += report.penalty;
            }
            assert_eq!(value, level.value, "level {at} has another value: {self}");
            assert!(level.bound <= level.value, "a bound above the value: {self}");
        }
        if outcome.status == Status::Optimal {
            assert_eq!(outcome.levels[0].bound, outcome.levels[0].value, "optimal by what proof? {self}");
        }
        if let Some(horizon) = self.spec.horizon {
            assert!(plan.makespan() <= horizon, "past the horizon: {self}");
        }
    }

    /// The plan.
    pub(crate) fn the_plan(&self) -> &Plan {
        self.outcome.plan.as_ref().expect("a plan")
    }

    /// Expects that many actions.
    pub(crate) fn actions(&self, count: usize) -> &Self {
        assert_eq!(self.the_plan().actions.len(), count, "number of actions: {self}");
        self
    }

    /// Expects that many relocations, proved to be the fewest.
    pub(crate) fn moves(&self, count: u64) -> &Self {
        assert_eq!(self.outcome.metrics.relocations, count, "relocations: {self}");
        assert_eq!(self.outcome.status, Status::Optimal, "not proved: {self}");
        self
    }

    /// Expects a duration of the whole plan.
    pub(crate) fn lasts(&self, seconds: u64) -> &Self {
        assert_eq!(self.the_plan().makespan(), seconds, "duration of the plan: {self}");
        self
    }

    /// Expects exactly one action of this text, e.g. `migrate a n0 n1`, or `3:5 boot a n0`.
    pub(crate) fn has(&self, text: &str) -> &Self {
        self.action(text);
        self
    }

    /// Expects no action whose text starts like this.
    pub(crate) fn has_no(&self, text: &str) -> &Self {
        assert!(self.matching(text).is_empty(), "`{text}` is in the plan: {self}");
        self
    }

    fn matching(&self, text: &str) -> Vec<&Action> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let plan = self.the_plan();
        let fits = |action: &&Action| {
            let line = line(&self.instance, action);
            let mut own: Vec<&str> = line.split_whitespace().collect();
            if !words[0].contains(':') {
                own.remove(0);
            }
            own.len() >= words.len() && own[..words.len()] == words[..]
        };
        plan.actions.iter().filter(fits).collect()
    }

    /// The only action whose text starts like this.
    pub(crate) fn action(&self, text: &str) -> &Action {
        match self.matching(text)[..] {
            [one] => one,
            ref others => panic!("{} actions are `{text}`: {self}", others.len()),
        }
    }

    /// The node on which a VM runs after the plan.
    pub(crate) fn host(&self, vm: &str) -> Option<&str> {
        let vm = VmId::from_index(self.instance.vms().find(vm).expect("a known VM"));
        let end = replay::end(&self.instance, self.the_plan());
        end.host(vm).map(|node| self.instance.node_name(node))
    }

    /// Expects a VM to run on a node after the plan.
    pub(crate) fn ends_on(&self, vm: &str, node: &str) -> &Self {
        assert_eq!(self.host(vm), Some(node), "host of {vm}: {self}");
        self
    }

    /// The first action ends before the second starts, and the plan says so by its edges.
    pub(crate) fn before(&self, first: &str, then: &str) -> &Self {
        let (a, b) = (self.action(first), self.action(then));
        assert!(a.end <= b.start, "`{first}` ends after the start of `{then}`: {self}");
        let plan = self.the_plan();
        let index = |action: &Action| plan.actions.iter().position(|other| other == action).unwrap_or(0);
        let (from, to) = (index(a), index(b));
        let mut reached = vec![from];
        let mut at = 0;
        while at < reached.len() {
            for &(x, y) in &plan.happens_before {
                if x as usize == reached[at] && !reached.contains(&(y as usize)) {
                    reached.push(y as usize);
                }
            }
            at += 1;
        }
        assert!(reached.contains(&to), "no edge leads from `{first}` to `{then}`: {self}");
        self
    }
}

/// The actions of a plan as text.
pub(crate) fn lines(instance: &Instance, plan: &Plan) -> Vec<String> {
    plan.actions.iter().map(|action| line(instance, action)).collect()
}

/// An action as text: `0:3 migrate a n0 n1`.
pub(crate) fn line(instance: &Instance, action: &Action) -> String {
    let mut words = vec![format!("{}:{}", action.start, action.end), action.kind.name().to_owned()];
    let vm = |vm: VmId| instance.vm_name(vm).to_owned();
    let node = |node: NodeId| instance.node_name(node).to_owned();
    match action.kind {
        ActionKind::Migrate { vm: v, from, to }
        | ActionKind::Resume { vm: v, from, to }
        | ActionKind::BootClone { vm: v, from, to } => words.extend([vm(v), node(from), node(to)]),
        ActionKind::Boot { vm: v, node: n }
        | ActionKind::Shutdown { vm: v, node: n }
        | ActionKind::Suspend { vm: v, node: n }
        | ActionKind::ShutdownOriginal { vm: v, from: n } => words.extend([vm(v), node(n)]),
        ActionKind::Kill { vm: v, node: n } => {
            words.push(vm(v));
            words.extend(n.map(node));
        }
        ActionKind::Forge { vm: v } | ActionKind::ForgeClone { vm: v } => words.push(vm(v)),
        ActionKind::Allocate { vm: v, node: n, resource, amount } => {
            words.extend([vm(v), node(n), instance.resource_name(resource).to_owned(), amount.to_string()]);
        }
        ActionKind::BootNode { node: n } | ActionKind::ShutdownNode { node: n } => words.push(node(n)),
    }
    for &(resource, amount) in &action.allocations {
        words.push(format!("{}={amount}", instance.resource_name(resource)));
    }
    words.join(" ")
}

/// A small generator of pseudo-random numbers (splitmix64): the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit as u64) as usize
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of a list.
    pub(crate) fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// A permutation of `0..n`.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for at in (1..n).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}
