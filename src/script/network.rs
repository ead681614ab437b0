//! Switches, links and routes.

use super::declare::Choice;
use super::evaluate::Run;
use super::fault::Attempt;
use super::fault::Fault;
use super::fault::did_you_mean;
use super::fault::short;
use super::limits;
use super::value::Items;
use super::value::Number;
use super::value::Value;
use crate::model::Behaviour;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Live;
use crate::model::Network;
use crate::model::NetworkPart;
use crate::model::NodeId;
use crate::model::Parameter;
use crate::model::Rounds;
use crate::model::Route;
use crate::model::Routing;
use crate::model::Switch;
use crate::model::Topology;
use quadrille_dsl::Diagnostic;
use quadrille_dsl::Expression;
use quadrille_dsl::Kind;
use quadrille_dsl::Setting;
use quadrille_dsl::Span;
use quadrille_dsl::Spanned;
use quadrille_dsl::Switched;
use quadrille_dsl::Word;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// How traffic can find its way; a star has links of its own.
const ROUTINGS: [&str; 3] = ["tree", "shortest", "star"];
/// The options of switches, and of links.
const SWITCH: [&str; 2] = ["capacity", "number"];
const LINK: [&str; 3] = ["capacity", "number", "reserve"];
/// The options of the network: what migrations may have of it.
const NETWORK: [&str; 4] = ["reserve", "bandwidth", "sharing", "rounds"];

/// Numbers that are taken.
#[derive(Debug, Default)]
struct Numbers {
    taken: FxHashSet<u32>,
    /// One more than the largest.
    next: u64,
}

impl Numbers {
    /// Takes a number, the next one where none is asked for.
    fn take(&mut self, number: Option<u32>) -> Result<u32, &'static str> {
        let Ok(number) = number.map_or(u32::try_from(self.next), Ok) else {
            return Err("gets no number, since none is left behind 4294967295; give it one");
        };
        self.next = self.next.max(u64::from(number) + 1);
        if self.taken.insert(number) { Ok(number) } else { Err("has a number that is taken already") }
    }
}

const BANDWIDTH: &str = "bandwidths are in Mbit/s: whole numbers of 1 or more";

const SWITCHES: usize = 0;
const LINKS: usize = 1;

/// The network while scripts add to it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    network: Network,
    switches: FxHashMap<Box<str>, u32>,
    /// By (end, switch): the link between them, or that there are several.
    links: FxHashMap<(Endpoint, u32), Option<u32>>,
    routes: Vec<Route>,
    /// The numbers of switches and of links.
    numbers: [Numbers; 2],
    /// Where a script first spoke of it: file and place.
    begun: Option<(u32, Span)>,
    /// Where the way of traffic was said.
    routed: Option<(u32, Span)>,
    /// Where switches and links were stated: the first of each statement.
    stated: [Vec<(u32, u32, Span)>; 2],
    /// Where each of the routes was stated.
    route_places: Vec<(u32, Span)>,
    /// Mbit/s of the links of a star of all nodes.
    star: Option<u64>,
    behaviour: Option<Behaviour>,
}

impl Draft {
    /// The network of the cluster that was loaded. A switch without a name is called `s`
    /// and its number.
    pub(super) fn of(network: Network) -> Self {
        let mut draft = Self::default();
        for (at, switch) in (0u32..).zip(&network.switches) {
            draft.switches.insert(switch.label().into(), at);
            let _ = draft.numbers[SWITCHES].take(Some(switch.number));
        }
        for (at, link) in (0u32..).zip(&network.links) {
            draft.index(at, link.end, link.switch);
            let _ = draft.numbers[LINKS].take(Some(link.number));
        }
        draft.network = network;
        draft
    }

    fn index(&mut self, at: u32, end: Endpoint, switch: u32) {
        self.links.entry((end, switch)).and_modify(|link| *link = None).or_insert(Some(at));
    }

    /// The network of this many nodes, if there is one.
    pub(super) fn finish(mut self, nodes: usize) -> (Option<Network>, Option<Behaviour>) {
        self.complete(nodes);
        let empty = self.network.links.is_empty() && self.network.switches.is_empty();
        let network = (!empty || self.begun.is_some()).then_some(self.network);
        (network, self.behaviour)
    }

    /// Adds what is known once all has been stated: the links of a star, and routes.
    fn complete(&mut self, nodes: usize) {
        if let Some(capacity) = self.star.take() {
            let Network { switches, links, .. } = Network::star(nodes as u32, capacity);
            (self.network.switches, self.network.links) = (switches, links);
        }
        let mut added = std::mem::take(&mut self.routes);
        if added.is_empty() {
            return;
        }
        let routing = &mut self.network.routing;
        match routing {
            Routing::Tree => *routing = Routing::Fixed(added),
            Routing::Shortest => *routing = Routing::Mixed(added),
            Routing::Fixed(routes) | Routing::Mixed(routes) => routes.append(&mut added),
        }
    }

    /// What is wrong with the network as scripts have left it, and where.
    pub(super) fn fault(&mut self, instance: &Instance) -> Option<Diagnostic> {
        let begun = self.begun?;
        if self.star.is_some() && !(self.network.links.is_empty() && self.network.switches.is_empty()) {
            let (file, span) = self.routed.unwrap_or(begun);
            let fault =
                Fault::new("E0313", "`network star` links all nodes itself, and there are switches or links")
                    .help("leave them away, or link the nodes to one of the switches");
            return Some(fault.at(file, span));
        }
        let before = self.network.routing.routes().len();
        self.complete(instance.node_count());
        let error = Topology::new(&self.network, instance).err()?;
        let (file, span) = self.place(error.part, before).unwrap_or(begun);
        let subject = match error.part {
            NetworkPart::Link(at) => self.link_said(at, instance),
            _ => error.subject.clone(),
        };
        let fault = Fault::new("E0313", error.said_of(&subject));
        let fault = error.advice.into_iter().fold(fault, |fault, advice| fault.help(advice));
        Some(fault.at(file, span))
    }

    /// Where a part was stated, if a script did so; so many routes are those of the cluster.
    fn place(&self, part: NetworkPart, routes: usize) -> Option<(u32, Span)> {
        let statement = |kind: usize, at: u32| {
            let stated = &self.stated[kind];
            let last = stated.partition_point(|&(first, ..)| first <= at).checked_sub(1)?;
            stated.get(last).map(|&(_, file, span)| (file, span))
        };
        match part {
            NetworkPart::Switch(at) => statement(SWITCHES, at),
            NetworkPart::Link(at) => statement(LINKS, at),
            NetworkPart::Route(at) => self.route_places.get((at as usize).checked_sub(routes)?).copied(),
            NetworkPart::Routes => self.route_places.first().copied(),
            NetworkPart::PerMigration => self.routed,
            NetworkPart::Whole | NetworkPart::Links => None,
        }
    }

    /// A link by its ends, as scripts name them.
    fn link_said(&self, at: u32, instance: &Instance) -> String {
        let Some(link) = self.network.links.get(at as usize) else { return "a link".to_owned() };
        let switch = |at: u32| self.network.switches.get(at as usize).map_or_else(String::new, Switch::label);
        let end = match link.end {
            Endpoint::Node(node) => format!("@{}", instance.node_name(node).trim_start_matches('@')),
            Endpoint::Switch(at) => switch(at),
        };
        format!("the link of `{end}` to `{}`", switch(link.switch))
    }

    fn room(&self) -> Attempt<()> {
        if self.network.links.len() + self.network.switches.len() >= limits::ELEMENTS {
            let message = format!("there are more than {} links and switches", limits::ELEMENTS);
            return Err(Fault::new("E0613", message));
        }
        Ok(())
    }

    /// The link between two neighbours on a route, and whether it is gone down.
    fn between(&self, instance: &Instance, from: Endpoint, to: Endpoint) -> Attempt<(u32, bool)> {
        let up = match to {
            Endpoint::Switch(switch) => self.links.get(&(from, switch)).map(|link| (link, false)),
            Endpoint::Node(_) => None,
        };
        let down = match from {
            Endpoint::Switch(switch) => self.links.get(&(to, switch)).map(|link| (link, true)),
            Endpoint::Node(_) => None,
        };
        match (up, down) {
            (Some((&Some(link), down)), None) | (None, Some((&Some(link), down))) => Ok((link, down)),
            (first, _) => {
                let how_many =
                    if first.is_none() && down.is_none() { "is no link" } else { "are several links" };
                let [from, to] = [from, to].map(|end| match end {
                    Endpoint::Node(node) => format!("node `{}`", instance.node_name(node)),
                    Endpoint::Switch(at) => match self.network.switches.get(at as usize) {
                        Some(switch) => format!("switch `{}`", switch.label()),
                        None => "a switch".to_owned(),
                    },
                });
                Err(Fault::new("E0313", format!("there {how_many} between {from} and {to}")))
            }
        }
    }
}

/// What options say of a switch, a link or the network.
#[derive(Clone, Debug, Default)]
struct Given {
    /// None where it is not given; within that, none where what is given is none.
    capacity: Option<Option<u64>>,
    number: Option<u32>,
    reserve: Option<u64>,
    bandwidth: Option<u64>,
    sharing: bool,
    rounds: bool,
    parameters: Vec<(Parameter, f64, Span)>,
}

impl<'p> Run<'p, '_> {
    fn begin_network(&mut self, span: Span) {
        let file = self.script.file;
        self.session.world.network.begun.get_or_insert((file, span));
    }

    /// `network shortest;`
    pub(super) fn network(&mut self, routing: &'p Word, options: &'p [Spanned<Setting>]) {
        let file = self.script.file;
        self.begin_network(routing.span);
        let is_star = routing.value == "star";
        let parameters = Parameter::ALL.map(|parameter| parameter.names()[1]);
        let capacity = is_star.then_some("capacity");
        let known: Vec<&str> = NETWORK.into_iter().chain(parameters).chain(capacity).collect();
        let given = self.given(options, &known);
        if let Some((other, first)) = self.session.world.network.routed.replace((file, routing.span)) {
            let message = "how traffic finds its way is said twice";
            return self.say(Diagnostic::error("E0111", routing.span, message).and(
                other,
                first,
                "here first",
            ));
        }
        self.behaviour(&given);
        let draft = &mut self.session.world.network;
        let allowance = &mut draft.network.allowance;
        if let Some(percent) = given.reserve {
            allowance.reserve_percent = percent as u8;
        }
        allowance.per_migration = given.bandwidth.or(allowance.per_migration);
        allowance.sharing |= given.sharing;
        let former = std::mem::take(&mut draft.network.routing);
        match (routing.value.as_str(), former) {
            ("tree", _) => {}
            // Routes of the cluster are kept; the others are the shortest from here on.
            ("shortest", Routing::Fixed(routes) | Routing::Mixed(routes)) => {
                draft.network.routing = Routing::Mixed(routes);
            }
            ("shortest", _) => draft.network.routing = Routing::Shortest,
            ("star", _) => match given.capacity {
                Some(Some(capacity)) => draft.star = Some(capacity),
                Some(None) => {}
                None => {
                    let fault = Fault::new("E0313", "the links of a star need a capacity, in Mbit/s")
                        .help("`network star<capacity=1000>;`");
                    self.fault(routing.span, fault);
                }
            },
            (other, _) => {
                let message = format!("traffic does not find its way by `{}`", short(other));
                let help = did_you_mean(other, ROUTINGS).unwrap_or_else(|| {
                    "`network tree;`, `network shortest;`, `network star<capacity=1000>;`, or `route` statements".into()
                });
                self.fault(routing.span, Fault::new("E0313", message).help(help));
            }
        }
    }

    /// How migrations behave, where the options of the network say so.
    fn behaviour(&mut self, given: &Given) {
        if !given.rounds && given.parameters.is_empty() {
            return;
        }
        let live = if given.rounds { Live::Rounds(Rounds::default()) } else { Live::PreCopy };
        let mut behaviour = Behaviour { live, ..Behaviour::default() };
        for &(parameter, number, span) in &given.parameters {
            let name = parameter.names()[1];
            if parameter.is_of_rounds() && !given.rounds {
                let fault = Fault::new("E0313", format!("`{name}` says something of migrations in rounds"))
                    .help("add the option `rounds`");
                self.fault(span, fault);
            } else if !parameter.set(&mut behaviour, number) {
                self.error("E0313", span, format!("`{name}` is {}", parameter.expected()));
            }
        }
        self.session.world.network.behaviour = Some(behaviour);
    }

    /// `switch core<capacity=40000>, edge[1..4];`
    pub(super) fn switches(&mut self, switches: &'p [Switched]) {
        for Switched { names, options } in switches {
            self.begin_network(names.span);
            let mut given = self.given(options, &SWITCH);
            self.each_switch(names, &mut |run, name, span| {
                // A number is that of the first.
                let number = given.number.take();
                run.switch(name, span, number, given.capacity.flatten())
            });
        }
    }

    fn switch(&mut self, name: &str, span: Span, number: Option<u32>, capacity: Option<u64>) -> bool {
        if let Err(fault) = self.session.world.network.room() {
            self.halt(fault.code, span, fault.message);
            return false;
        }
        let draft = &mut self.session.world.network;
        let at = draft.network.switches.len() as u32;
        if draft.switches.contains_key(name) {
            self.error("E0105", span, format!("the switch `{name}` is declared twice"));
            return true;
        }
        draft.switches.insert(name.into(), at);
        match draft.numbers[SWITCHES].take(number) {
            Ok(number) => {
                draft.stated[SWITCHES].push((at, self.script.file, span));
                draft.network.switches.push(Switch::new(number, Some(name), capacity));
            }
            Err(why) => self.error("E0105", span, format!("the switch `{}` {why}", short(name))),
        }
        true
    }

    /// `link @n[1..20] to edge1<capacity=1000>;`
    pub(super) fn link(
        &mut self,
        ends: &'p Spanned<Expression>,
        switch: &'p Word,
        options: &'p [Spanned<Setting>],
    ) {
        self.begin_network(switch.span);
        let given = self.given(options, &LINK);
        let to = self.known_switch(&switch.value, switch.span);
        let mut found = Vec::new();
        if !self.ends(ends, &mut found) {
            return;
        }
        let Some(to) = to else { return };
        let Some(capacity) = given.capacity else {
            let fault = Fault::new("E0313", "a link needs a capacity, in Mbit/s")
                .help(format!("`… to {}<capacity=1000>;`", switch.value));
            return self.fault(switch.span, fault);
        };
        // What is wrong with it has been said.
        let Some(capacity) = capacity else { return };
        if found.len() > 1 && given.number.is_some() {
            return self.error("E0313", switch.span, "only one link can have that number");
        }
        let (file, span) = (self.script.file, Span { start: ends.span.start, end: switch.span.end });
        let first = self.session.world.network.network.links.len() as u32;
        self.session.world.network.stated[LINKS].push((first, file, span));
        for end in found {
            if let Err(fault) = self.session.world.network.room() {
                return self.halt(fault.code, ends.span, fault.message);
            }
            let draft = &mut self.session.world.network;
            let number = match draft.numbers[LINKS].take(given.number) {
                Ok(number) => number,
                Err(why) => return self.error("E0105", switch.span, format!("the link {why}")),
            };
            let at = draft.network.links.len() as u32;
            draft.network.allowance.reserves.extend(given.reserve.map(|reserve| (at, reserve)));
            draft.index(at, end, to);
            draft.network.links.push(Link { number, capacity, switch: to, end });
        }
    }

    /// `route @n1 to @n2 via edge1, core, edge2;`
    pub(super) fn route(
        &mut self,
        from: &'p Spanned<Expression>,
        to: &'p Spanned<Expression>,
        via: &'p [Word],
        span: Span,
    ) {
        self.begin_network(span);
        let (Some(start), Some(end)) = (self.one_node(from), self.one_node(to)) else { return };
        let mut here = Endpoint::Node(start);
        let mut links = Vec::with_capacity(via.len() + 1);
        let mut stops: Vec<(Endpoint, Span)> = Vec::with_capacity(via.len() + 1);
        for word in via {
            let Some(switch) = self.known_switch(&word.value, word.span) else { return };
            stops.push((Endpoint::Switch(switch), word.span));
        }
        stops.push((Endpoint::Node(end), to.span));
        for (stop, place) in stops {
            let world = &self.session.world;
            match world.network.between(world.instance(), here, stop) {
                Ok(link) => links.push(link),
                Err(fault) => return self.fault(place, fault),
            }
            here = stop;
        }
        let draft = &mut self.session.world.network;
        draft.route_places.push((self.script.file, span));
        draft.routes.push(Route { from: start, to: end, links });
    }

    fn one_node(&mut self, expression: &'p Spanned<Expression>) -> Option<NodeId> {
        match self.value(expression) {
            Value::Node(node) => Some(node),
            Value::Unknown => None,
            other => {
                let message = format!("a route goes from node to node, this is a {}", other.type_name());
                self.error("E0313", expression.span, message);
                None
            }
        }
    }

    /// What is linked; false where that is not known.
    fn ends(&mut self, expression: &'p Spanned<Expression>, found: &mut Vec<Endpoint>) -> bool {
        match &expression.value {
            Expression::Name(_) | Expression::Enumeration { kind: Kind::Name, .. } => {
                let mut sound = true;
                self.each_switch(expression, &mut |run, name, span| {
                    let switch = run.known_switch(name, span);
                    sound &= switch.is_some();
                    found.extend(switch.map(Endpoint::Switch));
                    true
                }) && sound
            }
            Expression::Set(members) if names_switches(members) => {
                // All of them are looked at, so that every mistake is told.
                members.iter().filter(|member| !self.ends(member, found)).count() == 0
            }
            _ => match self.value(expression) {
                Value::Node(node) => {
                    found.push(Endpoint::Node(node));
                    true
                }
                Value::Set(set) => match &set.items {
                    Items::Nodes(nodes) => {
                        found.extend(nodes.iter().map(|&node| Endpoint::Node(node)));
                        true
                    }
                    Items::Empty => true,
                    _ => self.no_end(expression.span, "set of something else"),
                },
                Value::Unknown => false,
                other => self.no_end(expression.span, &other.type_name()),
            },
        }
    }

    fn no_end(&mut self, span: Span, found: &str) -> bool {
        self.error("E0313", span, format!("nodes and switches are linked, this is a {found}"));
        false
    }

    /// Each name of a switch.
    fn each_switch(
        &mut self,
        names: &'p Spanned<Expression>,
        each: &mut dyn FnMut(&mut Self, &str, Span) -> bool,
    ) -> bool {
        match &names.value {
            Expression::Name(name) => each(self, name, names.span),
            Expression::Enumeration { kind: Kind::Name, head, elements, tail } => {
                self.each_name(names.span, head, elements, tail, each)
            }
            // The grammar has nothing else.
            _ => false,
        }
    }

    fn known_switch(&mut self, name: &str, span: Span) -> Option<u32> {
        let known = &self.session.world.network.switches;
        if let Some(&at) = known.get(name) {
            return Some(at);
        }
        let mut fault = Fault::new("E0113", format!("there is no switch `{name}`"));
        let mut names: Vec<&str> = known.keys().map(|name| &**name).collect();
        names.sort_unstable();
        fault.help = did_you_mean(name, names);
        self.fault(span, fault);
        None
    }

    /// What options say, of those that are known.
    fn given(&mut self, options: &'p [Spanned<Setting>], known: &[&str]) -> Given {
        let mut given = Given::default();
        for Choice { name, value, span } in self.choices(options) {
            if !known.contains(&name.value.as_str()) {
                let mut fault = Fault::new("E0313", format!("there is no option `{}` here", name.value));
                fault.help = did_you_mean(&name.value, known.iter().copied());
                self.fault(name.span, fault);
                continue;
            }
            // An option without a value is a text that says so.
            let flag = matches!(&value, Value::Text(text) if &**text == "true");
            let of_network = known.contains(&"sharing");
            let (amount, figure) = match value {
                // What is wrong with it has been said.
                Value::Unknown if name.value == "capacity" => {
                    given.capacity = Some(None);
                    continue;
                }
                Value::Unknown => continue,
                Value::Number(Number::Integer(amount, _)) => {
                    (u64::try_from(amount).ok(), Some(amount as f64))
                }
                Value::Number(Number::Float(amount)) => (None, Some(amount)),
                _ => (None, None),
            };
            match (name.value.as_str(), amount) {
                ("capacity", amount) => {
                    given.capacity = Some(amount.filter(|&amount| amount > 0));
                    if given.capacity == Some(None) {
                        self.error("E0313", span, BANDWIDTH);
                    }
                }
                ("number", Some(amount)) if u32::try_from(amount).is_ok() => {
                    given.number = Some(amount as u32);
                }
                ("reserve", Some(amount)) if !of_network || amount < 100 => given.reserve = Some(amount),
                ("reserve", _) if of_network => {
                    self.error("E0313", span, "`reserve` of a network is a whole percentage from 0 to 99");
                }
                ("reserve", _) => {
                    self.error("E0313", span, "`reserve` of a link is in Mbit/s: a whole number of 0 or more")
                }
                ("bandwidth", Some(amount)) if amount > 0 => given.bandwidth = Some(amount),
                ("bandwidth", _) => self.error("E0313", span, BANDWIDTH),
                ("sharing", _) if flag => given.sharing = true,
                ("rounds", _) if flag => given.rounds = true,
                (word @ ("sharing" | "rounds"), _) => {
                    self.error("E0313", span, format!("`{word}` stands alone, without a value"));
                }
                ("number", _) => self.error("E0313", span, "a number is from 0 to 4294967295"),
                (word, _) => {
                    let parameter = Parameter::ALL.into_iter().find(|parameter| parameter.names()[1] == word);
                    match (parameter, figure) {
                        (Some(parameter), Some(figure)) => given.parameters.push((parameter, figure, span)),
                        (Some(parameter), None) => {
                            self.error("E0313", span, format!("`{word}` is {}", parameter.expected()));
                        }
                        (None, _) => {}
                    }
                }
            }
        }
        given
    }
}

/// Are there names in it, which are those of switches where links are stated?
fn names_switches(members: &[Spanned<Expression>]) -> bool {
    members.iter().any(|member| match &member.value {
        Expression::Name(_) | Expression::Enumeration { kind: Kind::Name, .. } => true,
        Expression::Set(members) => names_switches(members),
        _ => false,
    })
}
