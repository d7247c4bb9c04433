# Renders the table of Liquid cases with Ruby's Liquid: a JSON list in, a JSON list of results out.
require "json"
require "liquid"

class Files
  def initialize(files) = @files = files
  def read_template_file(name) = @files.fetch(name)
end

results = JSON.parse($stdin.read).map do |row|
  ENV["TZ"] = row["zone"] || "UTC"
  begin
    template = Liquid::Template.parse(row["template"], error_mode: :strict)
    template.registers[:file_system] = Files.new(row["files"] || {})
    {"text" => template.render(row["data"])}
  rescue StandardError => error
    {"error" => error.message}
  end
end
puts JSON.generate(results)
