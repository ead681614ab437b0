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
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Network;
use crate::model::NodeId;
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

/// How traffic can find its way.
const ROUTINGS: [&str; 2] = ["tree", "shortest"];
/// The options of switches, and of links.
const SWITCH: [&str; 2] = ["capacity", "number"];
const LINK: [&str; 3] = ["capacity", "number", "reserve"];
/// The options of the network: what migrations may have of it.
const NETWORK: [&str; 3] = ["reserve", "bandwidth", "sharing"];

/// Numbers that are taken.
#[derive(Debug, Default)]
struct Numbers {
    taken: FxHashSet<u32>,
    next: u32,
}

impl Numbers {
    /// Takes a number, the next one where none is asked for; `None` if it is taken.
    fn take(&mut self, number: Option<u32>) -> Option<u32> {
        let number = number.unwrap_or(self.next);
        self.next = self.next.max(number.saturating_add(1));
        self.taken.insert(number).then_some(number)
    }
}

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
}

impl Draft {
    /// The network of the cluster that was loaded. A switch without a name is called `s`
    /// and its number.
    pub(super) fn of(network: Network) -> Self {
        let mut draft = Self::default();
        for (at, switch) in (0u32..).zip(&network.switches) {
            draft.switches.insert(switch.label().into(), at);
            draft.numbers[SWITCHES].take(Some(switch.number));
        }
        for (at, link) in (0u32..).zip(&network.links) {
            draft.index(at, link.end, link.switch);
            draft.numbers[LINKS].take(Some(link.number));
        }
        draft.network = network;
        draft
    }

    fn index(&mut self, at: u32, end: Endpoint, switch: u32) {
        self.links.entry((end, switch)).and_modify(|link| *link = None).or_insert(Some(at));
    }

    /// The network, if there is one.
    pub(super) fn finish(mut self) -> Option<Network> {
        if !self.routes.is_empty() {
            match &mut self.network.routing {
                Routing::Fixed(routes) => routes.append(&mut self.routes),
                other => *other = Routing::Fixed(self.routes),
            }
        }
        let empty = self.network.links.is_empty() && self.network.switches.is_empty();
        (!empty || self.begun.is_some()).then_some(self.network)
    }

    /// What is wrong with the network as scripts have left it, and where they began with it.
    pub(super) fn fault(&self, instance: &Instance) -> Option<Diagnostic> {
        let (file, span) = self.begun?;
        let mut network = self.network.clone();
        if !self.routes.is_empty() {
            network.routing = Routing::Fixed(self.routes.clone());
        }
        let error = Topology::new(&network, instance).err()?;
        Some(Fault::new("E0313", error.message).at(file, span))
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

/// What options say of a switch or a link.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    capacity: Option<u64>,
    number: Option<u32>,
    reserve: Option<u64>,
    bandwidth: Option<u64>,
    sharing: bool,
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
        let given = self.given(options, &NETWORK);
        if let Some((other, first)) = self.session.world.network.routed.replace((file, routing.span)) {
            let message = "how traffic finds its way is said twice";
            return self.say(Diagnostic::error("E0111", routing.span, message).and(
                other,
                first,
                "here first",
            ));
        }
        let allowance = &mut self.session.world.network.network.allowance;
        match given.reserve {
            None => {}
            Some(percent) if percent < 100 => allowance.reserve_percent = percent as u8,
            Some(_) => {
                return self.error(
                    "E0313",
                    routing.span,
                    "`reserve` of a network is a percentage from 0 to 99",
                );
            }
        }
        allowance.per_migration = given.bandwidth.or(allowance.per_migration);
        allowance.sharing |= given.sharing;
        self.session.world.network.network.routing = match routing.value.as_str() {
            "tree" => Routing::Tree,
            "shortest" => Routing::Shortest,
            other => {
                let message = format!("traffic does not find its way by `{}`", short(other));
                let help = did_you_mean(other, ROUTINGS)
                    .unwrap_or_else(|| "`network tree;`, `network shortest;`, or `route` statements".into());
                return self.fault(routing.span, Fault::new("E0313", message).help(help));
            }
        };
    }

    /// `switch core<capacity=40000>, edge[1..4];`
    pub(super) fn switches(&mut self, switches: &'p [Switched]) {
        for Switched { names, options } in switches {
            self.begin_network(names.span);
            let given = self.given(options, &SWITCH);
            let mut numbers = given.number;
            self.each_switch(names, &mut |run, name, span| {
                run.switch(name, span, Given { number: numbers.take(), ..given })
            });
        }
    }

    fn switch(&mut self, name: &str, span: Span, given: Given) -> bool {
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
        let Some(number) = draft.numbers[SWITCHES].take(given.number) else {
            self.error("E0105", span, "there is a switch with this number already");
            return true;
        };
        draft.network.switches.push(Switch::new(number, Some(name), given.capacity));
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
        if found.len() > 1 && given.number.is_some() {
            return self.error("E0313", switch.span, "only one link can have that number");
        }
        for end in found {
            if let Err(fault) = self.session.world.network.room() {
                return self.halt(fault.code, ends.span, fault.message);
            }
            let draft = &mut self.session.world.network;
            let Some(number) = draft.numbers[LINKS].take(given.number) else {
                return self.error("E0105", switch.span, "there is a link with this number already");
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
        self.session.world.network.routes.push(Route { from: start, to: end, links });
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
            let amount = match value {
                Value::Unknown => continue,
                Value::Number(Number::Integer(amount, _)) => u64::try_from(amount).ok(),
                _ => None,
            };
            match (name.value.as_str(), amount) {
                ("capacity", Some(amount)) if amount > 0 => given.capacity = Some(amount),
                ("number", Some(amount)) if u32::try_from(amount).is_ok() => {
                    given.number = Some(amount as u32);
                }
                ("reserve", Some(amount)) => given.reserve = Some(amount),
                ("bandwidth", Some(amount)) if amount > 0 => given.bandwidth = Some(amount),
                ("sharing", _) if flag => given.sharing = true,
                ("sharing", _) => self.error("E0313", span, "`sharing` stands alone, without a value"),
                ("number", _) => self.error("E0313", span, "a number is from 0 to 4294967295"),
                _ => self.error("E0313", span, "bandwidths are in Mbit/s: whole numbers of 1 or more"),
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
