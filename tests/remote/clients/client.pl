# SPDX-License-Identifier: LGPL-2.1-or-later
# The life of a secret with Sys::Virt: URI, file of the definition, file of the value.
use strict;
use warnings;

use Sys::Virt;

my ($uri, $definition_file, $value_file) = @ARGV;

sub content {
    open(my $file, '<:raw', shift) or die $!;
    local $/ = undef;
    return <$file>;
}

sub say_of {
    print "@_\n";
}

my @lifecycle = ('defined', 'undefined');    # Sys::Virt::Secret::EVENT_DEFINED, EVENT_UNDEFINED
my $events = 0;

Sys::Virt::Event::register_default();
my $connection = Sys::Virt->new(uri => $uri);
$connection->secret_event_register_any(
    undef,
    Sys::Virt::Secret::EVENT_ID_LIFECYCLE,
    sub { say_of('event', $lifecycle[$_[2]], $_[1]->get_uuid_string()); $events++; });
$connection->secret_event_register_any(
    undef,
    Sys::Virt::Secret::EVENT_ID_VALUE_CHANGED,
    sub { say_of('event', 'value-changed', $_[1]->get_uuid_string()); $events++; });

my $secret = $connection->define_secret(content($definition_file));
say_of('defined', $secret->get_uuid_string());
$secret->set_value(content($value_file));
say_of('value', unpack('H*', $secret->get_value()));
say_of('xml', unpack('H*', $secret->get_xml_description()));
say_of('count', $connection->num_of_secrets());
say_of('listed', join(',', map { $_->get_uuid_string() } $connection->list_all_secrets()));
my $found = $connection->get_secret_by_usage($secret->get_usage_type(), $secret->get_usage_id());
say_of('by-usage', $found->get_uuid_string());
my $uuid = $secret->get_uuid_string();
$secret->undefine();
eval { $connection->get_secret_by_uuid($uuid) };
say_of('gone', $@->code);
Sys::Virt::Event::run_default() while $events < 3;
