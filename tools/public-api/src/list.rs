//! The lines of a listing.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, ItemImpl, Type};

use crate::modules::{ModulePath, Target, Tree, name_of};
use crate::signature;

/// Traits that derives implement for the compiler's own use; they differ between compilers.
const INTERNAL_TRAITS: [&str; 2] = ["StructuralPartialEq", "TrivialClone"];

/// A type's module and name.
type TypeKey = (ModulePath, String);

struct Lister<'a> {
    tree: &'a Tree,
    impls: BTreeMap<TypeKey, Vec<&'a ItemImpl>>,
    lines: BTreeSet<String>,
}

/// Returns the lines of a crate called `name`, sorted by path.
pub(crate) fn lines(name: &str, tree: &Tree) -> Vec<String> {
    let mut lister = Lister { tree, impls: impls(tree), lines: BTreeSet::new() };
    lister.module(name, &Vec::new());
    let mut lines: Vec<_> = lister.lines.into_iter().collect();
    lines.sort_by_cached_key(|line| path_in(line, name));
    lines
}

/// Returns the path of a line's item, which keeps an item, its members and its traits together.
fn path_in(line: &str, name: &str) -> String {
    let path = line.find(name).map_or("", |start| &line[start..]);
    path.chars().take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':')).collect()
}

fn impls(tree: &Tree) -> BTreeMap<TypeKey, Vec<&ItemImpl>> {
    let mut impls = BTreeMap::<_, Vec<_>>::new();
    for (path, module) in tree.modules() {
        for item in &module.impls {
            let is_internal = item
                .trait_
                .as_ref()
                .and_then(|(path, ..)| path.segments.last())
                .is_some_and(|name| INTERNAL_TRAITS.iter().any(|internal| name.ident == internal));
            let target = type_path(&item.self_ty).and_then(|name| tree.resolve(path, &name));
            if let Some(Target::Item(module, name)) = target
                && !is_internal
            {
                impls.entry((module, name)).or_default().push(item);
            }
        }
    }
    impls
}

fn type_path(of: &Type) -> Option<Vec<String>> {
    match of {
        Type::Path(path) => Some(path.path.segments.iter().map(|segment| segment.ident.to_string()).collect()),
        Type::Reference(reference) => type_path(&reference.elem),
        _ => None,
    }
}

impl Lister<'_> {
    /// Lists a public module, which users name `public`.
    fn module(&mut self, public: &str, path: &ModulePath) {
        self.lines.insert(format!("pub mod {public}"));
        let tree = self.tree;
        let module = tree.module(path);
        for item in &module.items {
            if let Some(name) = name_of(item) {
                self.item(&format!("{public}::{name}"), path, item);
            }
        }
        for item in module.uses.iter().filter(|item| item.is_public) {
            let target = tree.resolve(path, &item.path);
            match target {
                Some(Target::Item(module, name)) => self.named(&format!("{public}::{}", item.name), &module, &name),
                Some(Target::Module(module)) if item.name == "*" => {
                    for inner in tree.module(&module).items.iter().filter_map(name_of) {
                        self.named(&format!("{public}::{inner}"), &module, &inner);
                    }
                }
                Some(Target::Module(module)) => self.module(&format!("{public}::{}", item.name), &module),
                None => {
                    self.lines.insert(format!("pub use {public}::{} = {}", item.name, item.path.join("::")));
                }
            }
        }
        for (name, _) in module.modules.iter().filter(|(_, is_public)| *is_public) {
            self.module(&format!("{public}::{name}"), &path.iter().cloned().chain([name.clone()]).collect());
        }
    }

    /// Lists the items called `name` in a module; a type and a function may share a name.
    fn named(&mut self, public: &str, module: &ModulePath, name: &str) {
        let items = self.tree.module(module).items.iter();
        for item in items.filter(|item| name_of(item).is_some_and(|of| of == name)) {
            self.item(public, module, item);
        }
    }

    fn item(&mut self, public: &str, module: &ModulePath, item: &Item) {
        let Some(lines) = signature::item(public, item) else { return };
        self.lines.extend(lines);
        let name = name_of(item).unwrap_or_default();
        for item in self.impls.get(&(module.clone(), name)).into_iter().flatten() {
            self.lines.extend(signature::implementation(public, item));
        }
    }
}
