# SPDX-License-Identifier: LGPL-2.1-or-later
# The life of a secret with ruby-libvirt, which has no events of secrets: URI, file of the definition,
# file of the value.
require 'libvirt'

uri, definition, value = ARGV
connection = Libvirt.open(uri)
secret = connection.define_secret_xml(File.read(definition))
puts "defined #{secret.uuid}"
secret.set_value(File.binread(value))
puts "value #{secret.get_value.unpack1('H*')}"
puts "xml #{secret.xml_desc.unpack1('H*')}"
puts "count #{connection.num_of_secrets}"
puts "listed #{connection.list_all_secrets.map(&:uuid).join(',')}"
puts "by-usage #{connection.lookup_secret_by_usage(secret.usagetype, secret.usageid).uuid}"
uuid = secret.uuid
secret.undefine
begin
  connection.lookup_secret_by_uuid(uuid)
rescue Libvirt::RetrieveError => e
  puts "gone #{e.libvirt_code}"
end
