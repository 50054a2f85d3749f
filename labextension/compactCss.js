/** A loader that leaves out what a browser does without: comments, indentation, last semicolons. */

module.exports = source =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replace(/ > /g, '>')
    .replace(/: /g, ':')
    .replace(/;}/g, '}')
    .trim();
